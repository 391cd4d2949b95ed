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
    "FLUX_DOUBLE, 31, 31.0, 1",
    "FLUX_SINGLE, 17, 28.4, 2",
    "FLUX_PROJECT, 8, 21.4, 1",
    "SD3, 25, 14.0, 0",
    "SD35_MEDIUM_DUAL, 49, 40.7, 0",
    "PIXART, 13, 12.0, 0",
    "HUNYUANDIT, 24, 54.1, 4",
    "HUNYUANDIT_SKIP, 27, 62.1, 5"
  })
  void aBlockLaunchesAndMovesNoMore(BlockTraffic block, int kernels, double activations, int copies)
      throws IOException {
    Traffic traffic = block.measured();
    assertThat(traffic.kernels()).isEqualTo(kernels);
    assertThat(block.activations(traffic)).isBetween(activations - 0.06, activations + 0.06);
    assertThat(traffic.copies()).isEqualTo(copies);
  }
}
