package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SelectiveScheduleTest {
  @ParameterizedTest
  @CsvSource({"0, 7", "1, 6", "2, 4", "3, 2", "4, 0"})
  void whatIsNotSentGrowsFromStepToStep(int step, int sent) {
    assertThat(new SelectiveTrade.Schedule(1, 0, 5, false).sent(7, step)).isEqualTo(sent);
  }

  @Test
  void ranksThatGoOnWithARequestSendAllFirst() {
    SelectiveTrade.Schedule schedule = new SelectiveTrade.Schedule(1, 2, 5, false);
    assertThat(schedule.sent(7, 2)).isEqualTo(7);
    assertThat(schedule.sent(7, 3)).isEqualTo(2);
    assertThat(new SelectiveTrade.Schedule(1, 0, 1, false).sent(7, 0)).isEqualTo(7);
    assertThat(new SelectiveTrade.Schedule(0.5, 0, 5, false).sent(8, 4)).isEqualTo(4);
  }
}
