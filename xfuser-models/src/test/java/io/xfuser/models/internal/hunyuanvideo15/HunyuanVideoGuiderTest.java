package io.xfuser.models.internal.hunyuanvideo15;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest.GuidanceBounds;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.models.contract.DiffusersParity;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guidance in some of the steps, by the original formula, with rescaling. */
class HunyuanVideoGuiderTest extends DiffusersParity {
  private static final Path TINY = Requests.directory("hunyuanvideo15_tiny");
  private static final String SETTINGS = "guider/guider_config.json";
  private static final InputConfig FOX = InputConfig.builder("a fox").size(32, 32).build();

  @TempDir Path directories;

  @Override
  protected List<String> pipelines() {
    return List.of("hunyuanvideo15_guided");
  }

  @Override
  protected ModelConfig model(Path ignored) {
    return ModelConfig.builder(
            with(
                "\"guidance_rescale\": 0.0", "\"guidance_rescale\": 0.4",
                "\"guidance_scale\": 6.0", "\"guidance_scale\": 2.0",
                "\"start\": 0.0", "\"start\": 0.25",
                "\"stop\": 1.0", "\"stop\": 0.8",
                "\"use_original_formulation\": false", "\"use_original_formulation\": true"))
        .build();
  }

  private Path with(String... changes) {
    try {
      Path directory = directories.resolve(UUID.randomUUID().toString());
      DirectoryCopy copy = DirectoryCopy.of(TINY, directory);
      for (int i = 0; i < changes.length; i += 2) {
        copy.rewrite(SETTINGS, changes[i], changes[i + 1]);
      }
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void itsSettingsAreTheDefaults() {
    GuidanceOptions usual = Requests.resolve(TINY, FOX).guidance();
    assertThat(usual.scale()).isEqualTo(6);
    assertThat(usual.rescale()).isZero();
    InputConfig asked = FOX.toBuilder().guidanceScale(2).guidanceRescale(0.3).build();
    assertThat(Requests.resolve(TINY, asked).guidance().scale()).isEqualTo(2);
    assertThat(Requests.resolve(TINY, asked).guidance().rescale()).isEqualTo(0.3);
  }

  @Test
  void whereItIsOffThereIsNone() {
    Path off = with("\"enabled\": true", "\"enabled\": false");
    assertThat(Requests.resolve(off, FOX).guided()).isFalse();
    Path never = with("\"stop\": 1.0", "\"stop\": 0.01");
    assertThat(Requests.resolve(never, FOX).guided()).isFalse();
  }

  @Test
  void stepsTowardsNoiseAreGuidedToo() throws IOException {
    Path rising = directories.resolve("rising");
    DirectoryCopy.of(TINY, rising)
        .rewrite(
            "scheduler/scheduler_config.json",
            "\"invert_sigmas\": false",
            "\"invert_sigmas\": true");
    GuidanceBounds bounds = Requests.resolve(rising, FOX).guidance().bounds();
    assertThat(bounds.at(0)).isTrue();
    assertThat(bounds.at(500)).isTrue();
  }

  @Test
  void scalesBelowNoneAreRefused() {
    InputConfig low = FOX.toBuilder().guidanceScale(0.5).build();
    assertThatThrownBy(() -> Requests.resolve(TINY, low))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("guidance_scale is 0.5, but must be at least 1");
  }

  @Test
  void whatEndsBeforeItBeginsIsRefused() {
    Path directory = with("\"start\": 0.0", "\"start\": 0.5", "\"stop\": 1.0", "\"stop\": 0.25");
    assertThatThrownBy(() -> Requests.resolve(directory, FOX))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith(
            "guider_config.json: start 0.5 and stop 0.25 must be from 0 to 1, the one before the"
                + " other");
  }
}
