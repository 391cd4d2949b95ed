package io.xfuser.models.internal.hunyuandit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HunyuanDiTBlockTest {
  private static final int WIDTH = 16;
  private static final int NEURONS = 24;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @Test
  void aBiasThatIsANeuronIsAdded() {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = values(manager, 2, 5, WIDTH);
      Map<String, NDArray> w = mlp(manager);
      float[] expected = added(manager, x, w);
      HunyuanDiTBlock.biasAsNeuron(manager, w);
      assertThat(w).doesNotContainKey("ff.net.2.bias");
      NDArray inner = Objects.requireNonNull(w.get("ff.net.0.proj.bias"));
      assertThat(inner.getShape()).isEqualTo(new Shape(NEURONS + 8));
      assertThat(added(manager, x, w)).containsExactly(expected, within(1e-5f));
      w.replace("ff.net.0.proj.bias", inner.mul(0)); // the neuron is off
      assertThat(added(manager, x, w)[0]).isNotCloseTo(expected[0], within(1e-3f));
    }
  }

  @Test
  void aShareWithoutTheBiasStaysAsItIs() {
    try (NDManager manager = Torch.newManager()) {
      Map<String, NDArray> w = mlp(manager);
      w.remove("ff.net.2.bias");
      Map<String, NDArray> before = Map.copyOf(w);
      HunyuanDiTBlock.biasAsNeuron(manager, w);
      assertThat(w).isEqualTo(before);
    }
  }

  private static Map<String, NDArray> mlp(NDManager manager) {
    Map<String, NDArray> w = new HashMap<>();
    w.put("norm3.weight", values(manager, WIDTH));
    w.put("norm3.bias", values(manager, WIDTH));
    w.put("ff.net.0.proj.weight", values(manager, NEURONS, WIDTH));
    w.put("ff.net.0.proj.bias", values(manager, NEURONS));
    w.put("ff.net.2.weight", values(manager, WIDTH, NEURONS));
    w.put("ff.net.2.bias", values(manager, WIDTH));
    return w;
  }

  /** What the block makes of {@code x} with its last term alone. */
  private static float[] added(NDManager manager, NDArray x, Map<String, NDArray> w) {
    try (TensorMap weights = TensorMap.of(w)) {
      return HunyuanDiT.PROGRAM
          .call(manager, "after_attention", x, x, x, x, weights, new long[] {2, 3, 1})
          .toFloatArray();
    }
  }

  private static NDArray values(NDManager manager, long... shape) {
    return manager
        .arange((int) new Shape(shape).size())
        .toType(DataType.FLOAT32, false)
        .add(1)
        .sin()
        .reshape(shape);
  }
}
