package io.xfuser.models.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.torchscript.Torch;
import io.xfuser.torchscript.Traffic;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The numbers of docs/performance.md: who changes a block changes them there too. */
class BlockTrafficTest {
  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @CsvSource({
    "FLUX_DOUBLE, 26, 30.9, 0",
    "FLUX_SINGLE, 14, 28.3, 1",
    "FLUX_PROJECT, 5, 21.3, 0",
    "SD3, 21, 14.0, 0",
    "SD35_MEDIUM_DUAL, 39, 40.2, 0",
    "PIXART, 12, 10.0, 0",
    "HUNYUANDIT, 22, 50.1, 3",
    "HUNYUANDIT_SKIP, 25, 58.1, 4",
    "FLUX2_DOUBLE, 31, 47.2, 0",
    "FLUX2_SINGLE, 16, 44.2, 1",
    "QWENIMAGE, 27, 32.2, 0",
    "ZIMAGE, 42, 57.7, 6",
    "WAN, 36, 65.1, 7"
  })
  void aBlockLaunchesAndMovesNoMore(BlockTraffic block, int kernels, double activations, int copies)
      throws IOException {
    Traffic traffic = block.measured(false);
    assertThat(traffic.kernels()).isEqualTo(kernels);
    assertThat(block.activations(traffic)).isBetween(activations - 0.06, activations + 0.06);
    assertThat(traffic.copies()).isEqualTo(copies);
  }

  @ParameterizedTest
  @CsvSource({
    "FLUX_DOUBLE, 19, 14.0, 0",
    "FLUX_SINGLE, 10, 11.0, 1",
    "FLUX_PROJECT, 1, 4.0, 0",
    "SD3, 17, 10.0, 0",
    "SD35_MEDIUM_DUAL, 25, 22.3, 0",
    "PIXART, 12, 10.0, 0"
  })
  void withKernelsOfOurOwnItLaunchesAndMovesLess(
      BlockTraffic block, int kernels, double activations, int copies) throws IOException {
    Traffic traffic = block.measured(true);
    assertThat(traffic.kernels()).isEqualTo(kernels);
    assertThat(block.activations(traffic)).isBetween(activations - 0.06, activations + 0.06);
    assertThat(traffic.copies()).isEqualTo(copies);
  }
}
