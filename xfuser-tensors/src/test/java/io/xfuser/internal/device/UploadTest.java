package io.xfuser.internal.device;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The way to a GPU, ending on the CPU. */
class UploadTest {
  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private NDArray upload(long bufferBytes, NDArray tensor) {
    return new Upload(Device.cpu(), bufferBytes, false).copy(manager, tensor);
  }

  private NDArray numbers(long... shape) {
    return manager.arange((float) new Shape(shape).size()).reshape(new Shape(shape));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 4, 8, 44, 48, 1 << 20})
  void partsOfAnyLengthMakeUpTheTensor(long bufferBytes) {
    NDArray x = numbers(3, 4);
    NDArray copy = upload(bufferBytes, x);
    assertThat(copy.getShape()).isEqualTo(x.getShape());
    assertThat(copy.toFloatArray()).isEqualTo(x.toFloatArray());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 8, 20, 1 << 20})
  void columnsOfAMatrixArriveContiguous(long bufferBytes) {
    NDArray columns = Torch.slice(manager, numbers(5, 6), 1, 2, 4); // (5, 2)
    NDArray copy = upload(bufferBytes, columns);
    assertThat(copy.toFloatArray()).containsExactly(2, 3, 8, 9, 14, 15, 20, 21, 26, 27);
    assertThat(Torch.flat(manager, copy).size()).isEqualTo(10); // a view, so it is contiguous
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void elementsOfEveryTypeAreCopied(ElementType type) {
    NDArray x = Torch.cast(manager, numbers(7), type);
    NDArray copy = upload(8, x);
    assertThat(ElementType.of(copy)).isEqualTo(type);
    assertThat(Torch.cast(manager, copy, ElementType.FLOAT32).toFloatArray())
        .isEqualTo(Torch.cast(manager, x, ElementType.FLOAT32).toFloatArray());
  }

  @Test
  void scalarsAndTensorsWithoutElementsHaveTheirShape() {
    assertThat(upload(8, manager.create(2.5f)).getFloat()).isEqualTo(2.5f);
    assertThat(upload(8, Torch.empty(manager, ElementType.FLOAT32, 3, 0)).getShape())
        .isEqualTo(new Shape(3, 0));
  }

  @Test
  void theCopyHasMemoryOfItsOwn() {
    NDArray x = Torch.copy(manager, numbers(4));
    NDArray copy = upload(8, x);
    Torch.memory(x).asFloatBuffer().put(0, 99);
    assertThat(copy.toFloatArray()).containsExactly(0, 1, 2, 3);
  }

  @Test
  void onlyBuffersForGpusArePinned() {
    assertThat(Upload.to(Device.cpu()).pinned()).isFalse();
    assertThat(Upload.to(Device.gpu(1))).isEqualTo(new Upload(Device.gpu(1), 32 << 20, true));
  }
}
