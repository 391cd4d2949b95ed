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
    "FLUX_DOUBLE, 31, 31.1, 1",
  })
  void aBlockLaunchesAndMovesNoMore(
      BlockTraffic block, int kernels, double activations, int copies) throws IOException {
    Traffic traffic = block.measured();
    assertThat(traffic.kernels()).isEqualTo(kernels);
    assertThat(block.activations(traffic)).isBetween(activations - 0.05, activations + 0.05);
    assertThat(traffic.copies()).isEqualTo(copies);
  }
}
