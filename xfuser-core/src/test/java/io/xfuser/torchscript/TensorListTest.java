package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TensorListTest {
  private static final Program PROGRAM =
      Program.compile(
          "first", "def first(self, xs: List[Tensor]) -> Tensor:\n  return xs[0] + 0\n");

  private final NDManager manager = Torch.newManager();
  private final AtomicInteger readings = new AtomicInteger();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private TensorList numbered() {
    return TensorList.read(
        () -> {
          readings.incrementAndGet();
          try (NDManager scope = Torch.newManager()) {
            NDArray x = Torch.empty(scope, ElementType.FLOAT32, 2);
            Torch.memory(x).asFloatBuffer().put(new float[] {3, 4});
            return TensorList.of(x);
          }
        });
  }

  private float[] used(TensorList list) {
    return PROGRAM.call(manager, "first", list).toFloatArray();
  }

  @Test
  void aListThatIsNeverHeldIsReadOnce() {
    try (TensorList list = numbered()) {
      assertThat(used(list)).containsExactly(3, 4);
      assertThat(used(list)).containsExactly(3, 4);
      assertThat(list.isLoaded()).isTrue();
      assertThat(readings).hasValue(1);
    }
  }

  @Test
  void whatTheLastHoldLetsGoIsReleasedAndReadAgain() {
    try (TensorList list = numbered()) {
      TensorList.Hold first = list.hold();
      TensorList.Hold second = list.hold();
      assertThat(used(list)).containsExactly(3, 4);
      second.close();
      list.release();
      assertThat(list.isLoaded()).isTrue(); // somebody holds it
      first.close();
      assertThat(list.isLoaded()).isFalse();
      assertThat(list.bytes()).isEqualTo(8);
      assertThat(readings).hasValue(1);
      assertThat(used(list)).containsExactly(3, 4);
      assertThat(readings).hasValue(2);
    }
  }

  @Test
  void tensorsThatCannotBeReadAgainStay() {
    try (NDManager scope = Torch.newManager();
        TensorList list = TensorList.of(Torch.empty(scope, ElementType.FLOAT32, 2))) {
      list.hold().close();
      list.release();
      assertThat(list.isLoaded()).isTrue();
    }
  }

  @Test
  void aClosedListIsNotReadAgain() {
    TensorList list = numbered();
    list.close();
    assertThatThrownBy(() -> used(list)).hasMessageContaining("the tensors were released");
    assertThat(readings).hasValue(1);
  }
}
