package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights of 8 bits, packed for FBGEMM and not. */
class Int8Test {
  private static final Program PROGRAM = Program.load(Int8Test.class, "shares.py", "int8_test.py");
  private static final Inner HEADS = Inner.heads(5, 2);
  private static final Inner NEURONS = Inner.neurons(3);
  private static final Joined QUERIES_KEYS = new Joined("qk", List.of("q", "k"));
  private static final int WIDTH = 4;

  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  /** Tensors that their names and shapes make. */
  private record Made() implements Weights {
    @Override
    public boolean has(String name) {
      return true;
    }

    @Override
    public NDArray get(NDManager owner, String name, long... shape) {
      float start = Math.floorMod(name.hashCode(), 100);
      Shape sizes = new Shape(shape);
      return owner
          .arange((float) sizes.size())
          .toType(DataType.FLOAT32, false)
          .add(start)
          .sin()
          .reshape(sizes);
    }

    @Override
    public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
      return Torch.contiguous(
          owner, Torch.slice(owner, get(owner, name, shape), cut.dim(), cut.from(), cut.to()));
    }
  }

  private static Weights weights(boolean packs) {
    Assumptions.assumeTrue(!packs || Int8.ofThisMachine().packs(), "FBGEMM is of x86");
    return new Int8Weights(new Made(), new Int8(packs, false));
  }

  private static TensorMap layers(Weights weights, Share share) {
    return WeightMap.of(
        weights,
        share,
        w -> w.inward(QUERIES_KEYS, HEADS, WIDTH).outward("out", WIDTH, HEADS, NEURONS));
  }

  /** Shares of no heads and no neurons too. */
  @ParameterizedTest
  @CsvSource({"true, 1", "true, 2", "true, 3", "true, 8", "false, 2", "false, 8"})
  void sharesAddUpToTheLayer(boolean packs, int parts) {
    NDArray x = new Made().get(manager, "x", 2, WIDTH);
    try (TensorMap whole = layers(weights(packs), Share.WHOLE);
        TensorMap plain = layers(new Made(), Share.WHOLE)) {
      NDArray sum = manager.zeros(x.getShape());
      for (int part = 0; part < parts; part++) {
        try (TensorMap share = layers(weights(packs), new Share(part, parts))) {
          sum = sum.add(PROGRAM.call(manager, "layers", x, share));
        }
      }
      NDArray all = PROGRAM.call(manager, "layers", x, whole);
      NDArray exact = PROGRAM.call(manager, "layers", x, plain);
      float most = exact.abs().max().getFloat();
      assertThat(sum.sub(all).abs().max().getFloat()).isLessThan(1e-6f * most);
      assertThat(all.sub(exact).abs().max().getFloat()).isBetween(1e-5f * most, 0.03f * most);
    }
  }

  @Test
  void layersAreTheSameTogetherAndAlone() {
    Weights weights = weights(true);
    NDArray x = new Made().get(manager, "x", 7, WIDTH);
    try (TensorMap both = WeightMap.of(weights, w -> w.inward(QUERIES_KEYS, HEADS, WIDTH));
        TensorMap alone =
            WeightMap.of(weights, w -> w.inward("q", HEADS, WIDTH).inward("k", HEADS, WIDTH))) {
      assertThat(PROGRAM.call(manager, "joined", x, both).toFloatArray())
          .containsExactly(PROGRAM.call(manager, "apart", x, alone).toFloatArray());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 2200}) // of which the second are read in two blocks
  void everyRowHasItsScale(long rows) {
    long columns = 1000;
    NDArray weight = new Made().get(manager, "a.weight", rows, columns);
    try (TensorMap map =
        WeightMap.of(weights(false), w -> w.withoutBias().linear("a", rows, columns))) {
      assertThat(map.names()).containsExactlyInAnyOrder("a.weight", "a.weight_scale");
      assertThat(map.bytes()).isEqualTo(rows * columns + rows * Float.BYTES);
      NDArray largest = weight.abs().max(new int[] {1}, true);
      NDArray error = weight.sub(PROGRAM.call(manager, "widened", map)).div(largest).mul(127).abs();
      assertThat(error.max().getFloat()).isBetween(0.49f, 0.5001f);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void layersOfRealWidthTakeAQuarterOfTheMemory(boolean packs) {
    Inner heads = Inner.heads(16, 72);
    try (TensorMap plain = attention(new Made(), heads);
        TensorMap quantized = attention(weights(packs), heads)) {
      assertThat((double) quantized.bytes() / plain.bytes()).isBetween(0.25, 0.255);
    }
  }

  private static TensorMap attention(Weights weights, Inner heads) {
    Joined joined = Joined.queriesKeysValues("attn");
    return WeightMap.of(
        weights, w -> w.inward(joined, heads, 1152).outward("attn.to_out.0", 1152, heads));
  }

  @Test
  void embeddersAndTablesStayExact() {
    try (TensorMap map =
        WeightMap.of(
            weights(false),
            w -> w.mlp("time", 8, 4).norm("norm", 8).plain().inward("table", NEURONS, 8))) {
      assertThat(map.names()).noneMatch(name -> name.endsWith("scale"));
    }
  }
}
