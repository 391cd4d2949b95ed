package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class PeakMemoryTest {
  @Test
  void theMostThatWasSeenIsRemembered() {
    Iterator<Long> taken = List.of(3L, 7L, 5L).iterator();
    PeakMemory memory = new PeakMemory(Device.gpu(0), device -> OptionalLong.of(taken.next()));
    memory.look();
    memory.look();
    memory.look();
    assertThat(memory.peak()).isEqualTo(7);
  }

  @Test
  void nothingIsSaidOfTheCpu() {
    PeakMemory memory = new PeakMemory(Device.cpu());
    memory.look();
    assertThat(memory.peak()).isNull();
  }
}
