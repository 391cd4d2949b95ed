package io.xfuser.internal.report;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Machines;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.report.RankReport;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RankFiguresTest {
  private static @Nullable Long peakOfThreeLooks(Supplier<OptionalLong> taken) {
    InProcessRanks alone = new InProcessRanks(1, Duration.ofSeconds(1));
    try (NDManager manager = Torch.newManager();
        World world = new World(alone.transport(0))) {
      RankFigures figures = new RankFigures(manager, Device.cpu(), DeviceClock.CPU, taken);
      figures.look();
      figures.look();
      figures.look();
      return figures.report(world).peakDeviceBytes();
    }
  }

  @Test
  void theMostMemoryThatWasSeenIsRemembered() {
    Iterator<Long> taken = List.of(3L, 7L, 5L).iterator();
    assertThat(peakOfThreeLooks(() -> OptionalLong.of(taken.next()))).isEqualTo(7);
  }

  private static RankReport ofTwoThatPassOnAndSkip(List<String> machines) throws Exception {
    return TestRanks.IN_PROCESS
        .run(
            2,
            world -> {
              World placed = world.on(new Machines(machines));
              try (NDManager manager = Torch.newManager()) {
                for (Channel channel : List.of(Channel.PIPEFUSION, Channel.SKIP)) {
                  Communicator stages = placed.group(channel, List.of(0, 1));
                  stages.rotate(List.of(TestRanks.numbers(manager, 0, 5))).await(manager);
                }
                return new RankFigures(manager, Device.cpu(), DeviceClock.CPU).report(placed);
              }
            })
        .get(0);
  }

  @Test
  void longSkipsAreOfPipeFusionWithinAMachineAndBetweenTwo() throws Exception {
    RankReport apart = ofTwoThatPassOnAndSkip(List.of("a", "b"));
    assertThat(apart.sentBytes()).containsEntry("pipefusion", 40L).doesNotContainKey("skip");
    assertThat(apart.sentBetweenNodes())
        .containsExactly(Map.entry("pipefusion", new RankReport.Sent(40, 2)));
    RankReport near = ofTwoThatPassOnAndSkip(List.of("a", "a"));
    assertThat(near.sentBytes()).containsEntry("pipefusion", 40L);
    assertThat(near.sentBetweenNodes()).isEmpty();
  }

  @Test
  void nothingIsSaidWhereADeviceCannotBeAsked() {
    assertThat(peakOfThreeLooks(OptionalLong::empty)).isNull();
  }
}
