package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.internal.runtime.RankMemory;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.contract.ShownPictures;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.progress.Progress;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of ranks with what sees pictures that are prompts. */
class RankMemoryShownTest {
  private static final Path TIMED = ShownPictures.TIMED;
  private static final InputConfig SMALL = InputConfig.builder().size(64, 64).build();

  @TempDir Path scratch;

  private static RankMemory said(ModelConfig model, Offload offload) {
    EngineConfig engine = EngineConfig.builder(model).runtime(r -> r.offload(offload)).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
      return RankMemory.of(pipeline.model(), engine, SMALL).ranks().get(0);
    }
  }

  /** A pipeline may be published with an encoder that only adapters use. */
  @ParameterizedTest
  @CsvSource({
    "sd3_tiny, timed_adapters, SiglipVisionModel",
    "flux_dev_tiny, ip_adapters, CLIPVisionModelWithProjection",
    "chroma_tiny, ip_adapters, CLIPVisionModelWithProjection"
  })
  void withoutAdaptersNothingSeesPictures(String name, String folder, String eyes)
      throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(Requests.directory(name), scratch.resolve(name));
    copy.rewrite(
        "model_index.json",
        "\"scheduler\"",
        "\"image_encoder\": [\"transformers\", \"%s\"], \"scheduler\"".formatted(eyes));
    Path encoder = copy.directory().resolve("image_encoder");
    DirectoryCopy.of(TIMED.resolveSibling(folder).resolve("image_encoder"), encoder);
    ModelConfig plain = ModelConfig.builder(Requests.directory(name)).build();
    assertThat(said(ModelConfig.builder(copy.directory()).build(), Offload.NONE))
        .isEqualTo(said(plain, Offload.NONE));
  }

  @Test
  void encodersAreInMemoryTogetherWhereTheyStayThere() {
    Path directory = Requests.directory("sd3_tiny");
    ModelConfig model = ShownPictures.from(TIMED, directory, "sd3.safetensors");
    long text = said(ModelConfig.builder(directory).build(), Offload.NONE).textEncoderBytes();
    long eyes;
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
      eyes = pipeline.model().bytes(Progress.Component.PICTURE_ENCODER);
    }
    RankMemory stays = said(model, Offload.NONE);
    assertThat(stays.textEncoderBytes()).isEqualTo(text + eyes);
    assertThat(stays.textEncoderBytesAtOnce()).isEqualTo(text + eyes);
    RankMemory comes = said(model, Offload.LAYERWISE);
    RankMemory alone = said(ModelConfig.builder(directory).build(), Offload.LAYERWISE);
    assertThat(comes.textEncoderBytesAtOnce())
        .isEqualTo(Math.max(alone.textEncoderBytesAtOnce(), eyes));
  }
}
