package io.xfuser.internal.failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RetriedTest {
  @Test
  void aFailureIsNotKept() {
    AtomicInteger calls = new AtomicInteger();
    Retried<String> value =
        new Retried<>(
            () -> {
              if (calls.incrementAndGet() < 3) {
                throw new UnsatisfiedLinkError("call " + calls.get());
              }
              return "made by call " + calls.get();
            });
    assertThatThrownBy(value::get).isInstanceOf(UnsatisfiedLinkError.class).hasMessage("call 1");
    assertThatThrownBy(value::get).hasMessage("call 2");
    assertThat(value.get()).isEqualTo("made by call 3").isSameAs(value.get());
    assertThat(calls).hasValue(3);
  }

  @Test
  void allThreadsGetTheOneValue() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Retried<Object> value =
        new Retried<>(
            () -> {
              calls.incrementAndGet();
              LockSupport.parkNanos(1_000_000); // for others to come
              return new Object();
            });
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<Object>> got =
          IntStream.range(0, 8).mapToObj(i -> threads.submit(value::get)).toList();
      for (Future<Object> one : got) {
        assertThat(one.get()).isSameAs(value.get());
      }
    } finally {
      threads.shutdown();
    }
    assertThat(calls).hasValue(1);
  }
}
