package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchTest {
  @ParameterizedTest
  @ValueSource(longs = {8, 12, 16, 28, 1 << 20})
  void thePartsOfATensorsMemoryFollowOneAnother(long partBytes) {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = manager.arange(21f).reshape(new Shape(3, 7));
      List<ByteBuffer> parts = Torch.memoryParts(x, partBytes);
      List<Float> read = new ArrayList<>();
      for (ByteBuffer part : parts) {
        assertThat((long) part.remaining()).isLessThanOrEqualTo(partBytes);
        while (part.hasRemaining()) {
          read.add(part.getFloat());
        }
      }
      assertThat(read).hasSize(21);
      for (int i = 0; i < 21; i++) {
        assertThat(read.get(i)).isEqualTo(i);
      }
      parts.get(parts.size() - 1).putFloat(parts.get(parts.size() - 1).limit() - 4, -1);
      assertThat(x.getFloat(2, 6)).isEqualTo(-1); // it is the tensor's own memory
    }
  }

  @Test
  void aTensorWithoutElementsHasNoMemory() {
    try (NDManager manager = Torch.newManager()) {
      assertThat(Torch.memoryParts(Torch.empty(manager, ElementType.BFLOAT16, 3, 0))).isEmpty();
    }
  }

  @Test
  void anAddressIsThatOfTheFirstElementHoweverLongTheTensor() {
    try (NDManager manager = Torch.newManager()) {
      NDArray numbers = Torch.copy(manager, manager.arange(21f).reshape(new Shape(3, 7)));
      NDArray rows = Torch.slice(manager, numbers, 0, 1, 3);
      assertThat(Torch.address(rows).order(ByteOrder.nativeOrder()).getFloat()).isEqualTo(7);
      // past 2 GiB; memory that nobody writes costs nothing
      NDArray long3GiB = Torch.empty(manager, ElementType.UINT8, 3L << 30);
      Torch.memory(Torch.slice(manager, long3GiB, 0, 0, 1)).put((byte) 42);
      assertThat(Torch.address(long3GiB).get(0)).isEqualTo((byte) 42);
      assertThatThrownBy(() -> Torch.address(Torch.empty(manager, ElementType.UINT8, 0)))
          .hasMessage("a tensor without elements has no address");
    }
  }

  @Test
  void anEmptyTensorIsMadeOnTheDeviceAsked() {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = Torch.empty(manager, Device.cpu(), ElementType.BFLOAT16, 2, 3);
      assertThat(x.getShape()).isEqualTo(new Shape(2, 3));
      assertThat(x.getDevice()).isEqualTo(Device.cpu());
      assertThat(Torch.view(manager, x, 3, 2).getShape()).isEqualTo(new Shape(3, 2));
    }
  }

  @Test
  void openBytesAreThoseOfAllTensorsThatAManagerOwns() {
    try (NDManager owner = Torch.newManager();
        NDManager elsewhere = Torch.newManager()) {
      NDArray x = Torch.empty(owner, ElementType.FLOAT32, 3, 5);
      requireOpen(owner, 60);
      NDManager below = owner.newSubManager();
      Torch.alias(below.newSubManager(), x);
      Torch.empty(below, ElementType.BFLOAT16, 7).close();
      requireOpen(owner, 120);
      NDArray other = Torch.empty(elsewhere, ElementType.INT8, 4);
      other.tempAttach(below);
      requireOpen(owner, 124);
      below.close();
      requireOpen(owner, 60);
      requireOpen(elsewhere, 4); // it went back
      elsewhere.attachInternal("pair", new NDList(x, x));
      requireOpen(elsewhere, 124);
    }
  }

  private static void requireOpen(NDManager owner, long bytes) {
    assertThat(Torch.openBytes(owner)).isEqualTo(bytes);
    assertThat(owner.getManagedArrays().stream().mapToLong(ElementType::bytesOf).sum())
        .isEqualTo(bytes);
  }
}
