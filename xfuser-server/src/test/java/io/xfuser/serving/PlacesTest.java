package io.xfuser.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.DeviceChoice;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.device.Gpus;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Elastic ranks on several GPUs, which are simulated. */
class PlacesTest {
  @Test
  void ranksGoWhereTheFewestCompute() {
    Places four = new Places(4);
    assertThat(four.forNew(2)).containsExactly(0, 1);
    four.take(List.of(0, 1));
    assertThat(four.forNew(1)).containsExactly(2);
    four.take(List.of(2));
    assertThat(four.forNew(2)).as("one has to be shared").containsExactly(0, 3);
    four.giveBack(List.of(0, 1));
    assertThat(four.forNew(2)).containsExactly(0, 1);
    assertThat(four.forNew(4)).containsExactly(0, 0, 1, 3);
  }

  @Test
  void ranksThatIdleAreTakenAgainUnlessOtherGpusAreFreer() {
    Places two = new Places(2);
    assertThat(two.asGood(List.of(1))).isTrue();
    two.take(List.of(1));
    assertThat(two.asGood(List.of(1))).isFalse();
    assertThat(two.asGood(List.of(0))).isTrue();
    assertThat(two.asGood(List.of(0, 1))).isTrue();
    assertThat(two.asGood(List.of(1, 1))).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"auto,8,4,4", "auto,2,4,2", "cuda:1,8,4,1", "cpu,8,4,1", "auto,0,4,1"})
  void asManyDevicesAreUsedAsThereAreRanksFor(String device, int gpus, int ranks, int used) {
    RuntimeConfig runtime = RuntimeConfig.builder().device(DeviceChoice.parse(device)).build();
    assertThat(ElasticRanks.devices(runtime, new Gpus(gpus > 0, gpus), ranks)).isEqualTo(used);
  }
}
