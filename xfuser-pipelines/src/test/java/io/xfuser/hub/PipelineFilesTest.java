package io.xfuser.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is downloaded of a component is what is read of it. */
class PipelineFilesTest {
  private static final String INDEX =
      "{\"weight_map\": {\"a\": \"%s-00001-of-00001.safetensors\"}}";

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "diffusers, diffusion_pytorch_model,",
    "diffusers, diffusion_pytorch_model, fp16",
    "transformers, model,",
    "transformers, model, fp16"
  })
  void theHubBringsWhatADirectoryWouldRead(String library, String base, @Nullable String variant)
      throws IOException {
    List<String> names =
        List.of(
            base + ".safetensors",
            base + ".safetensors.index.json",
            base + ".fp16.safetensors",
            base + ".safetensors.index.fp16.json");
    for (int subset = 1; subset < 16; subset++) {
      int chosen = subset;
      List<String> there =
          IntStream.range(0, 4).filter(i -> (chosen >> i & 1) != 0).mapToObj(names::get).toList();
      if (variant != null || there.contains(names.get(0)) || there.contains(names.get(1))) {
        assertAgreement(library, base, variant, there);
      }
    }
  }

  /** HunyuanVideo 1.5's guider is settings alone, as schedulers and what prepares pictures are. */
  @ParameterizedTest
  @CsvSource({
    "diffusers, ClassifierFreeGuidance, guider_config.json",
    "diffusers, UniPCMultistepScheduler, scheduler_config.json",
    "transformers, CLIPImageProcessorFast, preprocessor_config.json"
  })
  void whatHasNoWeightsIsItsSettings(String library, String className, String settings) {
    ComponentConfig index =
        ComponentConfig.parse(
            "index", "{\"part\": [\"%s\", \"%s\"]}".formatted(library, className));
    PipelineFiles files = new PipelineFiles("org/model", Set.of("part/" + settings), index, null);
    assertThat(files.settings()).containsExactly("model_index.json", "part/" + settings);
    assertThat(files.weights(directory)).isEmpty();
  }

  private void assertAgreement(
      String library, String base, @Nullable String variant, List<String> there)
      throws IOException {
    Path snapshot = Files.createTempDirectory(directory, "model");
    Path folder = Files.createDirectory(snapshot.resolve("part"));
    Set<String> listed = new HashSet<>(Set.of("part/config.json"));
    for (String name : there) {
      String shard = name.contains("fp16") ? base + ".fp16" : base;
      Files.writeString(folder.resolve(name), INDEX.formatted(shard));
      listed.addAll(List.of("part/" + name, "part/" + shard + "-00001-of-00001.safetensors"));
    }
    Path read = WeightFiles.find(folder, base, variant);
    ComponentConfig index =
        ComponentConfig.parse("index", "{\"part\": [\"%s\", \"Model\"]}".formatted(library));
    PipelineFiles files = new PipelineFiles("org/model", listed, index, variant);
    String expected = "part/" + read.getFileName();
    if (expected.endsWith(".json")) {
      assertThat(files.settings()).contains(expected);
      String shard = expected.contains("fp16") ? base + ".fp16" : base;
      expected = "part/" + shard + "-00001-of-00001.safetensors";
    }
    assertThat(files.weights(snapshot)).as("%s of %s", variant, there).containsExactly(expected);
  }
}
