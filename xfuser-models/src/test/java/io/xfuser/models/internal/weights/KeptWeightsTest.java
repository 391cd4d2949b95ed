package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Layers that stay in a file of fp16 compute what layers do that were widened as they were read.
 */
class KeptWeightsTest {
  private static final Program PROGRAM = Program.load(KeptWeightsTest.class, "kept.py");
  private static final Joined BOTH = new Joined("both", List.of("a", "b"));
  private static final long IN = 2048;
  private static final long OUT = 1100; // times IN more than is widened at once

  @TempDir Path directory;
  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() throws IOException {
    Torch.prepareThread(1);
    SafeTensorsWriter.write(
        directory.resolve("model.safetensors"),
        Map.of(
            "a.weight", half(1, OUT, IN),
            "a.bias", half(2, OUT),
            "b.weight", half(3, OUT, IN),
            "b.bias", half(4, OUT),
            "table.weight", half(5, 9, 4)));
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private NDArray half(int seed, long... shape) {
    return as(ElementType.FLOAT16, seed, shape);
  }

  private NDArray as(ElementType type, int seed, long... shape) {
    long size = shape.length == 1 ? shape[0] : shape[0] * shape[1];
    NDArray wide = manager.arange((float) size).add(seed * 0.37f).sin().mul(0.05f).reshape(shape);
    return Torch.cast(manager, wide, type);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 1", "FLOAT32, 2", "BFLOAT16, 1", "BFLOAT16, 3"})
  void layersAreThoseThatWereWidened(ElementType type, int parts) {
    NDArray x = Torch.cast(manager, half(6, 3, IN), type);
    for (int part = 0; part < parts; part++) {
      Share share = new Share(part, parts);
      try (FileWeights weights = FileWeights.open(directory, "model", type);
          TensorMap kept = rows(weights.keeping(), share);
          TensorMap widened = rows(weights, share)) {
        assertThat(kept.names())
            .contains("both.weight_kept", "both.weight_kept_1", "both.weight_type")
            .doesNotContain("both.weight");
        assertThat(kept.bytes()).isEqualTo(widened.bytes());
        NDArray expected = PROGRAM.call(manager, "layers", x, widened);
        NDArray found = PROGRAM.call(manager, "layers", x, kept);
        assertThat(found.getShape()).isEqualTo(expected.getShape());
        float largest = expected.abs().max().getFloat();
        float apart = found.sub(expected).abs().max().getFloat();
        assertThat(largest).isGreaterThan(0.1f);
        assertThat(apart).isLessThanOrEqualTo(1e-6f * largest); // blocks may be summed otherwise
      }
    }
  }

  @Test
  void columnsOfAShareAreTakenWhereTheyLie() {
    Inner neurons = Inner.neurons((int) IN);
    NDArray x = Torch.cast(manager, half(6, 3, IN / 2), ElementType.FLOAT32);
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      for (Share share : List.of(new Share(0, 2), new Share(1, 2))) {
        try (TensorMap kept = columns(weights.keeping(), share, neurons);
            TensorMap widened = columns(weights, share, neurons)) {
          assertThat(kept.names()).contains("a.weight_kept").doesNotContain("a.weight");
          NDArray expected = PROGRAM.call(manager, "alone", x, widened);
          assertThat(expected.abs().max().getFloat()).isGreaterThan(0.01f);
          NDArray apart = PROGRAM.call(manager, "alone", x, kept).sub(expected);
          assertThat(apart.abs().max().getFloat()).isLessThan(1e-6f);
        }
      }
    }
  }

  @Test
  void layersAreTheFileItself() throws IOException {
    NDArray x = Torch.cast(manager, half(6, 1, IN), ElementType.FLOAT32);
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32);
        TensorMap kept = rows(weights.keeping(), Share.WHOLE)) {
      NDArray before = PROGRAM.call(manager, "layers", x, kept);
      WeightMapTest.overwriteWithZeros(directory.resolve("model.safetensors"));
      NDArray after = PROGRAM.call(manager, "layers", x, kept);
      assertThat(after.sub(before).abs().max().getFloat()).isGreaterThan(0.01f);
      NDArray biases = Torch.cast(manager, half(2, OUT), ElementType.FLOAT32);
      assertThat(after.get("0, :" + OUT).sub(biases).abs().max().getFloat()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void layersOfTheRunsTypeAreNotCopiedToBeOne(ElementType type) throws IOException {
    Map<String, NDArray> layers =
        Map.of(
            "a.weight", as(type, 1, OUT, 64),
            "a.bias", as(type, 2, OUT),
            "b.weight", as(type, 3, OUT, 64),
            "b.bias", as(type, 4, OUT));
    SafeTensorsWriter.write(directory.resolve("own.safetensors"), layers);
    NDArray x = as(type, 6, 3, 64);
    try (FileWeights weights = FileWeights.open(directory, "own", type);
        TensorMap found = WeightMap.of(weights, w -> w.inward(BOTH, Inner.neurons((int) OUT), 64));
        TensorMap joined =
            TensorMap.of(
                Map.of(
                    "both.weight", both(layers, ".weight"), "both.bias", both(layers, ".bias")))) {
      boolean apart = Torch.multipliesInFloat32(type);
      assertThat(found.names().contains("both.weight_kept_1")).isEqualTo(apart);
      assertThat(found.bytes()).isEqualTo(joined.bytes());
      float[] expected = PROGRAM.call(manager, "layers", x, joined).toFloatArray();
      assertThat(PROGRAM.call(manager, "layers", x, found).toFloatArray())
          .containsExactly(expected, offset(1e-5f));
      assertThat(PROGRAM.call(manager, "layers_into", x, found).toFloatArray())
          .containsExactly(expected, offset(1e-5f));
      WeightMapTest.overwriteWithZeros(directory.resolve("own.safetensors"));
      NDArray biases = Torch.cast(manager, both(layers, ".bias"), ElementType.FLOAT32);
      float[] after = PROGRAM.call(manager, "layers", x.get("0:1"), found).toFloatArray();
      assertThat(Arrays.equals(after, biases.toFloatArray())).isEqualTo(apart);
    }
  }

  private NDArray both(Map<String, NDArray> layers, String kind) {
    return Torch.concat(
        manager, BOTH.layers().stream().map(name -> layers.get(name + kind)).toList(), 0);
  }

  @Test
  void columnsThatAreCopiedToBeWidenedAreTheFileItself() throws IOException {
    ElementType type = ElementType.BFLOAT16;
    SafeTensorsWriter.write(
        directory.resolve("own.safetensors"), Map.of("a.weight", as(type, 1, OUT, IN)));
    NDArray x = as(type, 6, 3, IN / 2);
    try (FileWeights weights = FileWeights.open(directory, "own", type);
        FileWeights copied = weights.read(1 << 20);
        TensorMap mapped = columns(weights, new Share(1, 2), Inner.neurons((int) IN));
        TensorMap read = columns(copied, new Share(1, 2), Inner.neurons((int) IN))) {
      boolean kept = Torch.multipliesInFloat32(type);
      assertThat(mapped.names().contains("a.weight_kept")).isEqualTo(kept);
      assertThat(read.names()).containsExactly("a.weight");
      assertThat(mapped.bytes()).isEqualTo(read.bytes());
      float[] expected = PROGRAM.call(manager, "alone", x, read).toFloatArray();
      assertThat(PROGRAM.call(manager, "alone", x, mapped).toFloatArray())
          .containsExactly(expected);
    }
  }

  @Test
  void aTableStaysInItsFileWhetherOrNotLayersDo() {
    for (ElementType type : List.of(ElementType.FLOAT32, ElementType.BFLOAT16)) {
      try (FileWeights weights = FileWeights.open(directory, "model", type);
          TensorMap map =
              WeightMap.of(weights, w -> w.table(Joined.one("table"), new Cut(0, 0, 9), 9, 4))) {
        assertThat(map.names()).containsExactlyInAnyOrder("table.weight", "table.weight_type");
        assertThat(map.bytes()).isEqualTo(9L * 4 * type.bytes());
      }
    }
  }

  private static TensorMap rows(Weights weights, Share share) {
    Inner neurons = Inner.neurons((int) OUT);
    return WeightMap.of(weights, share, w -> w.inward(BOTH, neurons, IN));
  }

  private static TensorMap columns(Weights weights, Share share, Inner neurons) {
    return WeightMap.of(weights, share, w -> w.withoutBias().outward("a", OUT, neurons));
  }
}
