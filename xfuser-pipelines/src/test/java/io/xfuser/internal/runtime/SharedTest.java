package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedTest {
  private final List<String> events = new ArrayList<>();
  private final Shared<AutoCloseable> shared =
      new Shared<>(
          () -> {
            events.add("load");
            return () -> events.add("close");
          });

  @Test
  void aValueThatIsKeptIsLoadedOnce() {
    try (Shared.Lease<AutoCloseable> lease = shared.lease(true)) {
      assertThat(lease.get()).isSameAs(shared.get());
    }
    shared.lease(true).close();
    assertThat(events).containsExactly("load");
    shared.close();
    assertThat(events).containsExactly("load", "close");
  }

  @Test
  void aValueThatIsNotKeptIsClosedWithItsLastLease() {
    try (Shared.Lease<AutoCloseable> first = shared.lease(false)) {
      try (Shared.Lease<AutoCloseable> second = shared.lease(false)) {
        assertThat(second.get()).isSameAs(first.get());
      }
      assertThat(events).containsExactly("load");
    }
    assertThat(events).containsExactly("load", "close");
    shared.lease(false).close();
    assertThat(events).containsExactly("load", "close", "load", "close");
  }
}
