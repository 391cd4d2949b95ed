package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One rank of eight fails while the others wait for it or are at work. */
class FailingRankTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(64, 64)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .build();

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "text_encoder/model,encoder.block.1.layer.1.DenseReluDense.wi_0.weight,'64,32','32,64'",
    "vae/diffusion_pytorch_model,decoder.conv_out.weight,'3,8,3,3','8,3,3,3'"
  })
  void anEncodersOrDecodersTensorOfTheWrongShapeIsNamedWhenTheModelIsOpened(
      String file, String tensor, String shape, String wrong) throws IOException {
    copy(MODEL, directory);
    Path weights = directory.resolve(file + ".safetensors");
    Files.write(weights, reshaped(Files.readAllBytes(weights), tensor, shape, wrong));
    EngineConfig engine = EngineConfig.of(directory);
    assertThatThrownBy(() -> XDiTParallel.inProcess(engine).close())
        .isInstanceOf(ModelException.class)
        .hasMessageContainingAll(tensor, shape.replace(",", ", "), wrong.replace(",", ", "));
  }

  @Test
  @Timeout(300)
  void aBlocksTensorOfTheWrongShapeEndsAllRanksByItsNameAndTheJvmGoesOn() throws IOException {
    String tensor = "transformer_blocks.5.attn2.to_q.weight";
    copy(MODEL, directory);
    Path weights =
        directory.resolve("transformer/diffusion_pytorch_model-00002-of-00004.safetensors");
    byte[] whole = Files.readAllBytes(weights);
    Files.write(weights, reshaped(whole, tensor, "48,48", "24,96"));
    ParallelConfig degrees =
        ParallelConfig.builder().pipefusionDegree(4).ulyssesDegree(2).vaeParallelSize(2).build();
    EngineConfig engine = EngineConfig.builder(directory).parallel(degrees).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      for (int call = 0; call < 2; call++) {
        assertThatThrownBy(() -> ranks.generate(FOX))
            .isInstanceOf(ModelException.class)
            .hasMessageContainingAll(tensor, "48, 48", "24, 96");
      }
    }
    Files.write(weights, whole);
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(FOX)) {
      assertThat(generation.images()).hasSize(1);
    }
  }

  /** The file with {@code wrong} as the shape of one tensor; both have as many elements. */
  private static byte[] reshaped(byte[] file, String tensor, String shape, String wrong) {
    String text = new String(file, StandardCharsets.ISO_8859_1);
    String entry = "\"" + tensor + "\":{\"dtype\":\"F32\",\"shape\":[";
    assertThat(text).contains(entry + shape);
    return text.replace(entry + shape, entry + wrong).getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void copy(Path from, Path to) throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(from)) {
      all = walk.filter(Files::isRegularFile).toList();
    }
    for (Path file : all) {
      Path copy = to.resolve(from.relativize(file).toString());
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy);
    }
  }
}
