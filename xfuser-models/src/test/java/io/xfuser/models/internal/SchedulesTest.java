package io.xfuser.models.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import org.junit.jupiter.api.Test;

class SchedulesTest {
  @Test
  void requestsThatAreAlikeHaveOneScheduler() {
    Schedules schedules =
        Schedules.of(
            ComponentConfig.parse(
                "test", "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3.0}"));
    Scheduler four = schedules.open(SchedulerRequest.of(4));
    assertThat(schedules.open(SchedulerRequest.of(4))).isSameAs(four);
    Scheduler two = schedules.open(SchedulerRequest.of(2));
    assertThat(two.timesteps()).hasSize(2);
    assertThat(schedules.open(SchedulerRequest.of(4)).timesteps()).isEqualTo(four.timesteps());
  }
}
