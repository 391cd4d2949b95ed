package io.xfuser.examples.gpucheck;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.xfuser.internal.parallel.TestRanks;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

/** The experiment {@code nccl} by a simulation of NCCL. */
class ConnectedRankTest {
  @Test
  void twoRanksExchangeEverythingByNccl() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Findings findings = new Findings(new PrintStream(out, true, UTF_8));
    var unused =
        TestRanks.NCCL.run(
            2,
            world -> {
              ConnectedRank.play(world, Device.cpu(), findings);
              return world.rank();
            });
    assertThat(out.toString(UTF_8))
        .matches(
            "\\{\"row\":\\{\"operation\":\"all-to-all of 1 MiB\",\"rounds\":50,\"µs"
                + " each\":[0-9.E]+}}\\R");
  }
}
