package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TensorMapTest {
  private static final Program PROGRAM =
      Program.compile(
          "first",
          "def first(self, w: Dict[str, Tensor]) -> Tensor:\n  return w[\"norm.weight\"] + 0\n");

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

  private TensorMap numbered() {
    return TensorMap.read(this::read);
  }

  private TensorMap read() {
    readings.incrementAndGet();
    try (NDManager scope = Torch.newManager()) {
      NDArray x = Torch.empty(scope, ElementType.FLOAT32, 2);
      Torch.memory(x).asFloatBuffer().put(new float[] {3, 4});
      return TensorMap.of(Map.of("norm.weight", x));
    }
  }

  private float[] used(TensorMap map) {
    return PROGRAM.call(manager, "first", map).toFloatArray();
  }

  @Test
  void aMapThatIsNeverHeldIsReadOnce() {
    try (TensorMap map = numbered()) {
      assertThat(used(map)).containsExactly(3, 4);
      assertThat(used(map)).containsExactly(3, 4);
      assertThat(map.isLoaded()).isTrue();
      assertThat(readings).hasValue(1);
    }
  }

  @Test
  void whatTheLastHoldLetsGoIsReleasedAndReadAgain() {
    try (TensorMap map = numbered()) {
      TensorMap.Hold first = map.hold();
      TensorMap.Hold second = map.hold();
      assertThat(used(map)).containsExactly(3, 4);
      second.close();
      map.release();
      assertThat(map.isLoaded()).isTrue(); // somebody holds it
      first.close();
      assertThat(map.isLoaded()).isFalse();
      assertThat(map.bytes()).isEqualTo(8);
      assertThat(readings).hasValue(1);
      assertThat(used(map)).containsExactly(3, 4);
      assertThat(readings).hasValue(2);
    }
  }

  @Test
  void whoeverKeepsThemReleasesNothingAndNobodyElseCan() {
    try (TensorMap map = numbered()) {
      TensorMap.Hold kept = map.keep();
      map.hold().close(); // of somebody who needs them only for now
      map.release();
      assertThat(map.isLoaded()).isTrue();
      kept.close();
      assertThat(map.isLoaded()).isTrue();
      map.release();
      assertThat(map.isLoaded()).isFalse();
    }
  }

  @Test
  void anOutlineHasNamesAndSizesAndNothingIsReadBeforeItIsNeeded() {
    try (NDManager scope = Torch.newManager()) {
      TensorMap outline =
          TensorMap.of(Map.of("norm.weight", Torch.empty(scope, ElementType.FLOAT32, 2)));
      try (TensorMap map = TensorMap.later(outline, this::read)) {
        assertThat(map.names()).containsExactly("norm.weight");
        assertThat(map.bytes()).isEqualTo(8);
        assertThat(readings).hasValue(0);
        assertThat(map.load()).isTrue();
        assertThat(map.load()).isFalse();
        assertThat(used(map)).containsExactly(3, 4);
        assertThat(readings).hasValue(1);
      }
    }
  }

  @Test
  void tensorsThatCannotBeReadAgainStay() {
    try (NDManager scope = Torch.newManager();
        TensorMap map = TensorMap.of(Map.of("x", Torch.empty(scope, ElementType.FLOAT32, 2)))) {
      map.hold().close();
      map.release();
      assertThat(map.isLoaded()).isTrue();
    }
  }

  @Test
  void aClosedMapIsNotReadAgain() {
    TensorMap map = numbered();
    map.close();
    assertThatThrownBy(() -> used(map)).hasMessageContaining("the tensors were released");
    assertThat(readings).hasValue(1);
  }
}
