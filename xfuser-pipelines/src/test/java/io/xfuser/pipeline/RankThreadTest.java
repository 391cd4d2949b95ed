package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.pytorch.jni.JniUtils;
import io.xfuser.torchscript.Torch;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RankThreadTest {
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  @Test
  void theSettingGoesBeforeTheEnvironmentAndThatBeforeAShareOfTheCores() {
    Map<String, String> one = Map.of("OMP_NUM_THREADS", "1");
    assertThat(RankThread.threadsPerRank(3, one, 2)).isEqualTo(3);
    assertThat(RankThread.threadsPerRank(0, one, 1)).isEqualTo(1);
    assertThat(RankThread.threadsPerRank(0, Map.of("OMP_NUM_THREADS", " 1,4"), 1)).isEqualTo(1);
    assertThat(RankThread.threadsPerRank(0, Map.of(), 1)).isEqualTo(CORES);
    assertThat(RankThread.threadsPerRank(0, Map.of(), CORES + 1)).isEqualTo(1);
  }

  @Test
  void whatTheEnvironmentAsksForIsAtMostTheCoresAndNonsenseIsPassedOver() {
    assertThat(RankThread.threadsPerRank(0, Map.of("OMP_NUM_THREADS", "9999"), 1)).isEqualTo(CORES);
    for (String nonsense : new String[] {"", "0", "-1", "all"}) {
      Map<String, String> environment = Map.of("OMP_NUM_THREADS", nonsense);
      assertThat(RankThread.threadsPerRank(0, environment, 1)).as(nonsense).isEqualTo(CORES);
    }
  }

  @Test
  void eachRankComputesOnItsOwnNumberOfThreads() throws Exception {
    Torch.newManager().close(); // loads libtorch
    try (RankThread one = new RankThread(0, Device.cpu(), 1);
        RankThread three = new RankThread(1, Device.cpu(), 3)) {
      assertThat(three.submit(JniUtils::getNumThreads).get()).isEqualTo(3);
      assertThat(one.submit(JniUtils::getNumThreads).get()).isEqualTo(1);
      assertThat(three.submit(JniUtils::getNumThreads).get()).isEqualTo(3);
    }
  }
}
