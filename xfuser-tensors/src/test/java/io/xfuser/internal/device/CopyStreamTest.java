package io.xfuser.internal.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.internal.weights.Ahead;
import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The order of calls to a GPU's streams, which no GPU has confirmed. */
class CopyStreamTest {
  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  private final Set<String> open = Collections.synchronizedSet(new HashSet<>());
  private final ThreadLocal<String> current = ThreadLocal.withInitial(() -> "default");

  /** Writes down what each thread's stream is given; events are named after what is before them. */
  private final class Recorded implements CopyStream.Streams<String> {
    private int events;

    @Override
    public void enter() {
      current.set("copies");
    }

    @Override
    public void leave() {
      current.set("default");
    }

    @Override
    public synchronized String record() {
      String event = "event " + ++events;
      open.add(event);
      calls.add(current.get() + ": " + event);
      return event;
    }

    @Override
    public void await(String event) {
      assertThat(open).contains(event);
      calls.add(current.get() + " awaits " + event);
    }

    @Override
    public void close(String event) {
      assertThat(open.remove(event)).isTrue();
    }
  }

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  private TensorMap layer(int index) {
    try (NDManager scope = Torch.newManager()) {
      TensorMap outline = TensorMap.of(Map.of("x", Torch.empty(scope, ElementType.FLOAT32, 1)));
      return TensorMap.later(
          outline,
          () -> {
            calls.add(current.get() + ": copy " + index);
            try (NDManager made = Torch.newManager()) {
              return TensorMap.of(Map.of("x", Torch.empty(made, ElementType.FLOAT32, 1)));
            }
          });
    }
  }

  @Test
  void layersAreThereBeforeTheyAreUsedAndTheirMemoryIsFreeBeforeItIsWritten() {
    CopyStream<String> copies = new CopyStream<>(new Recorded());
    List<TensorMap> layers = IntStream.range(0, 3).mapToObj(this::layer).toList();
    try (Prefetcher prefetcher = new Prefetcher(1 << 20, copies);
        Ahead ahead = prefetcher.along(layers)) {
      for (int i = 0; i < 3; i++) {
        TensorMap.Hold used = ahead.use(i, i + 1); // the next is not read yet: one order of calls
        try (used) {
          calls.add("default: compute " + i);
        }
      }
    }
    assertThat(calls)
        .containsExactly(
            "copies: copy 0",
            "copies: event 1",
            "default awaits event 1",
            "default: compute 0",
            "default: event 2",
            "copies awaits event 2", // the memory of layer 0
            "copies: copy 1",
            "copies: event 3",
            "default awaits event 3",
            "default: compute 1",
            "default: event 4",
            "copies awaits event 4",
            "copies: copy 2",
            "copies: event 5",
            "default awaits event 5",
            "default: compute 2",
            "default: event 6");
    assertThat(open).isEmpty();
  }

  @Test
  void whatIsLeftWhileSomethingIsReadIsReleasedAfterItAndAwaitedByTheNext() {
    CopyStream<String> copies = new CopyStream<>(new Recorded());
    boolean read =
        copies.read(
            () -> {
              calls.add("copies: copy 1");
              copies.leave(() -> calls.add("released 0")); // its memory would go to this copy
              calls.add("copies: the rest of copy 1");
              return true;
            });
    assertThat(read).isTrue();
    copies.read(() -> calls.add("copies: copy 2"));
    assertThat(calls)
        .containsExactly(
            "copies: copy 1",
            "copies: event 1", // after what computes with layer 0
            "copies: the rest of copy 1",
            "copies: event 2",
            "released 0",
            "copies awaits event 1",
            "copies: copy 2",
            "copies: event 3");
    copies.leave(() -> calls.add("released 1"));
    assertThat(calls).endsWith("released 1");
    copies.close();
    assertThat(open).isEmpty();
  }

  @Test
  void aCopyThatFailsLeavesTheThreadInTheDefaultStream() {
    CopyStream<String> copies = new CopyStream<>(new Recorded());
    assertThatThrownBy(
            () ->
                copies.read(
                    () -> {
                      throw new IllegalStateException("no memory");
                    }))
        .hasMessage("no memory");
    assertThat(current.get()).isEqualTo("default");
    copies.close();
    assertThat(open).isEmpty();
  }
}
