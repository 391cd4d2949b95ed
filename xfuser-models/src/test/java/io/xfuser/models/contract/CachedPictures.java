package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Pictures of tiny pipelines whose steps a cache spares, and what diffusers makes of them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class CachedPictures {
  static final Path REFERENCES = DiffusersCall.FIXTURES.resolve("reference/caches");
  static final double TOLERANCE = 1e-3;
  static final double RANKS = 1e-4;
  static final ParallelConfig SERIAL = ParallelConfig.serial();

  final NDManager manager = Torch.newManager();
  @TempDir Path folder;

  @AfterAll
  void close() {
    manager.close();
  }

  record Case(long seed, JsonNode json) {
    InputConfig input() {
      return with(json.get("cache"));
    }

    private InputConfig with(JsonNode cache) {
      InputConfigBuilder builder = InputConfig.builder().seed(seed).outputType(OutputType.PT);
      DiffusersCall call = new DiffusersCall(json.get("pipeline").asText(), seed, json);
      call.fill(builder);
      cache
          .properties()
          .forEach(
              entry ->
                  InputConfig.SETTINGS.stream()
                      .filter(setting -> setting.name().equals(entry.getKey()))
                      .forEach(setting -> builder.set(setting, entry.getValue().asText())));
      return builder.build();
    }

    /** What ranks are compared by: decoding has tests of its own. */
    InputConfig latents() {
      return input().toBuilder().outputType(OutputType.LATENT).build();
    }

    InputConfig plain() {
      return with(new ObjectMapper().createObjectNode());
    }

    int spared() {
      return (int) json.get("computed").valueStream().filter(one -> !one.asBoolean()).count();
    }

    @Override
    public String toString() {
      return json.get("name").asText();
    }
  }

  static Stream<Case> cases() throws IOException {
    JsonNode all = new ObjectMapper().readTree(REFERENCES.resolve("cases.json").toFile());
    long seed = all.get("seed").asLong();
    return all.get("cases").valueStream().map(one -> new Case(seed, one));
  }

  static Case named(String name) throws IOException {
    return cases().filter(one -> one.toString().equals(name)).findFirst().orElseThrow();
  }

  /** A pipeline, and how it was opened. */
  record Opened(DiffusionPipeline pipeline, ModelConfig model) implements AutoCloseable {
    @Override
    public void close() {
      pipeline.close();
    }
  }

  Opened open(Case one) throws IOException {
    ModelConfig.Builder builder =
        ModelConfig.builder(DiffusersCall.FIXTURES.resolve(one.json().get("pipeline").asText()));
    JsonNode calibration = one.json().get("calibration");
    if (!calibration.isEmpty()) {
      Path file = folder.resolve(one + ".json");
      Files.writeString(file, calibration.toString());
      builder.set(ModelConfig.CACHE_CALIBRATION, file);
    }
    ModelConfig model = builder.build();
    return new Opened(DiffusionPipeline.fromPretrained(model), model);
  }

  /** Pixels, or latents where these were asked for. */
  record Drawn(NDArray pixels, List<RankReport> ranks) {}

  Drawn drawn(Opened pipeline, ParallelConfig degrees, InputConfig input) {
    return drawn(pipeline, degrees, 1, input);
  }

  Drawn drawn(Opened pipeline, ParallelConfig degrees, int warmup, InputConfig input) {
    EngineConfig engine =
        EngineConfig.builder(pipeline.model())
            .parallel(degrees)
            .runtime(r -> r.warmupSteps(warmup))
            .build();
    return drawn(pipeline, engine, input);
  }

  Drawn drawn(Opened pipeline, EngineConfig engine, InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline.pipeline(), engine);
        Generation generation = ranks.generate(input)) {
      return new Drawn(Torch.alias(manager, generation.tensor()), generation.report().ranks());
    }
  }

  /** Pixels, or latents, over the largest of them. */
  static void assertClose(Drawn ranks, Drawn expected) {
    assertThat(Pixels.largestDifference(ranks.pixels(), expected.pixels()))
        .isLessThanOrEqualTo(RANKS * Pixels.largest(expected.pixels()));
    int spared = expected.ranks().get(0).sparedPasses();
    assertThat(ranks.ranks()).allSatisfy(rank -> assertThat(rank.sparedPasses()).isEqualTo(spared));
  }
}
