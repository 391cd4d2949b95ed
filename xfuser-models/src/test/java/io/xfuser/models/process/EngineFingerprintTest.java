package io.xfuser.models.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Worlds;
import io.xfuser.torchscript.ElementType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ranks compare when they meet. */
class EngineFingerprintTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  @TempDir private Path directory = Path.of("");

  @Test
  void aCopyOfTheModelElsewhereIsTheSameAndAnotherTrainingIsNot() throws Exception {
    Path copy = copy(MODEL, directory.resolve("copy"));
    Fingerprint here = of(EngineConfig.of(MODEL));
    assertThat(differences(here, of(EngineConfig.of(copy)))).isEmpty();

    Path weights = copy.resolve("vae/diffusion_pytorch_model.safetensors");
    try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
      byte[] all = new byte[(int) file.length()];
      file.readFully(all);
      long header =
          8 + Integer.toUnsignedLong(ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getInt());
      file.seek(header);
      file.write(new byte[all.length - (int) header]); // as many bytes, all of them 0
    }
    assertThat(differences(here, of(EngineConfig.of(copy))).orElseThrow())
        .matches("rank 1 has vae/ with the digest [0-9a-f]{12}, rank 0 has [0-9a-f]{12}");
  }

  @Test
  void encodersOfPicturesAndTheirSettingsAreCompared() throws Exception {
    Path model = MODEL.resolveSibling("wan_i2v_tiny");
    Path copy = copy(model, directory.resolve("copy"));
    Fingerprint here = of(EngineConfig.of(model));
    assertThat(here.entries()).containsKey("image_encoder/ with the digest");
    Path settings = copy.resolve("image_processor/preprocessor_config.json");
    Files.writeString(settings, Files.readString(settings) + " ");
    assertThat(differences(here, of(EngineConfig.of(copy))).orElseThrow())
        .startsWith("rank 1 has image_processor/ with the digest ");
  }

  @Test
  void whereASecondTransformerTakesOverIsCompared() throws Exception {
    Path model = MODEL.resolveSibling("wan22_tiny");
    Path copy = copy(model, directory.resolve("copy"));
    Path index = copy.resolve("model_index.json");
    String text = Files.readString(index);
    Files.writeString(index, text.replaceFirst("(\"boundary_ratio\": )[0-9.]+", "$10.5"));
    assertThat(differences(of(EngineConfig.of(model)), of(EngineConfig.of(copy))).orElseThrow())
        .startsWith("rank 1 has model_index.json: boundary_ratio 0.5, rank 0 has 0.");
  }

  @Test
  void whatIsSetDifferentlyIsNamed() {
    EngineConfig plain = EngineConfig.of(MODEL);
    EngineConfig other =
        plain.toBuilder().parallel(p -> p.ulyssesDegree(4)).runtime(r -> r.warmupSteps(3)).build();
    assertThat(differences(of(plain), of(other)))
        .contains(
            "rank 1 has ulysses_degree 4, rank 0 has 1; rank 1 has warmup_steps 3, rank 0 has 1");
    assertThat(
            differences(
                    of(plain),
                    of(plain.toBuilder().runtime(r -> r.dtype(ElementType.FLOAT16)).build()))
                .orElseThrow())
        .startsWith("rank 1 has dtype ");
    ModelConfig quantized = plain.model().toBuilder().quantize(ElementType.INT8).build();
    assertThat(differences(of(plain), of(plain.toBuilder().model(quantized).build())))
        .contains("rank 1 has quantize int8, rank 0 has none");
    assertThat(of(plain).entries()).containsKeys("libtorch", "device", "model");
  }

  private static Optional<String> differences(Fingerprint first, Fingerprint second) {
    return Fingerprint.differences(List.of(first, second));
  }

  private static Fingerprint of(EngineConfig engine) {
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(engine.model(), engine.runtime())) {
      return Worlds.fingerprint(pipeline, engine, 0);
    }
  }

  private static Path copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file));
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
    return to;
  }
}
