package io.xfuser.internal.report;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
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

  @Test
  void nothingIsSaidWhereADeviceCannotBeAsked() {
    assertThat(peakOfThreeLooks(OptionalLong::empty)).isNull();
  }
}
