package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Shares of layers: five heads of two, and three neurons, around tokens of four. */
class WeightMapTest {
  private static final Program PROGRAM = Program.load(WeightMapTest.class, "shares.py");
  private static final Inner HEADS = Inner.heads(5, 2);
  private static final Inner NEURONS = Inner.neurons(3);
  private static final Joined QUERIES_KEYS = new Joined("qk", List.of("q", "k"));
  private static final int WIDTH = 4;

  @TempDir Path directory;
  private final NDManager manager = Torch.newManager();
  private Path file = Path.of("");

  @BeforeEach
  void prepare() throws IOException {
    Torch.prepareThread(1);
    file = directory.resolve("model.safetensors");
    SafeTensorsWriter.write(
        file,
        Map.of(
            "q.weight", numbers(10, WIDTH, 1),
            "q.bias", numbers(10, 1, 2).reshape(10),
            "k.weight", numbers(10, WIDTH, 3),
            "k.bias", numbers(10, 1, 4).reshape(10),
            "out.weight", numbers(WIDTH, 13, 5),
            "out.bias", numbers(WIDTH, 1, 6).reshape(WIDTH)));
  }

  @AfterEach
  void close() {
    manager.close();
  }

  /** A matrix of distinct numbers that fp16 and bf16 round differently. */
  private NDArray numbers(long rows, long columns, int seed) {
    return manager.arange((float) (rows * columns)).add(seed * 0.37f).sin().reshape(rows, columns);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void sharesAddUpToTheLayer(int parts) {
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32);
        TensorMap whole = layers(weights, Share.WHOLE)) {
      NDArray x = numbers(2, WIDTH, 7);
      NDArray sum = manager.zeros(x.getShape());
      for (int part = 0; part < parts; part++) {
        try (TensorMap share = layers(weights, new Share(part, parts))) {
          sum = sum.add(PROGRAM.call(manager, "layers", x, share));
        }
      }
      NDArray all = PROGRAM.call(manager, "layers", x, whole);
      assertThat(sum.sub(all).abs().max().getFloat()).isLessThan(1e-5f);
      assertThat(all.abs().max().getFloat()).isGreaterThan(0.1f);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void aShareReadsItsRowsAndColumnsAlone(ElementType type) {
    try (FileWeights weights = FileWeights.open(directory, "model", type)) {
      long two = 2L * HEADS.size(); // shares of two heads and of three
      for (Share share : new Share[] {new Share(0, 2), new Share(1, 2)}) {
        long own = share.isFirst() ? two : HEADS.width() - two;
        long neurons = share.isFirst() ? 1 : 2;
        CountedWeights counted = new CountedWeights(weights);
        try (TensorMap map = layers(counted, share)) {
          long bias = share.isFirst() ? WIDTH : 0;
          long elements = 2 * own * (WIDTH + 1) + WIDTH * (own + neurons) + bias;
          assertThat(counted.bytes()).isEqualTo(elements * type.bytes());
          assertThat(map.bytes()).isEqualTo(elements * type.bytes());
        }
      }
    }
  }

  @Test
  void rowsAreTheFileItselfAndColumnsAreCopied() throws IOException {
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      NDArray rows = weights.get(manager, new Cut(0, 9, 10), "k.weight", 10, WIDTH);
      NDArray columns = weights.get(manager, new Cut(1, 3, 4), "k.weight", 10, WIDTH);
      float before = columns.toFloatArray()[9];
      assertThat(rows.toFloatArray()).contains(before);
      overwriteWithZeros(file);
      assertThat(rows.toFloatArray()).containsExactly(0, 0, 0, 0);
      assertThat(columns.toFloatArray()[9]).isEqualTo(before);
    }
  }

  static void overwriteWithZeros(Path file) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      long header = Long.reverseBytes(out.readLong());
      out.seek(8 + header);
      out.write(new byte[Math.toIntExact(out.length() - 8 - header)]);
    }
  }

  @Test
  void onlyTheFirstShareHasTheBias() {
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32);
        TensorMap first = layers(weights, new Share(0, 2));
        TensorMap second = layers(weights, new Share(1, 2))) {
      float[] bias = weights.get(manager, "out.bias", WIDTH).toFloatArray();
      assertThat(PROGRAM.call(manager, "bias", first).toFloatArray()).containsExactly(bias);
      assertThat(second.names())
          .containsExactlyInAnyOrder(
              "qk.weight_kept",
              "qk.weight_kept_1",
              "qk.weight_type",
              "qk.bias",
              "out.0.weight",
              "out.1.weight");
    }
  }

  @Test
  void whatHasNoBiasReadsNone() {
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32);
        TensorMap map =
            WeightMap.of(weights, w -> w.withoutBias().inward(QUERIES_KEYS, HEADS, WIDTH))) {
      assertThat(map.names())
          .containsExactlyInAnyOrder("qk.weight_kept", "qk.weight_kept_1", "qk.weight_type");
      assertThat(map.bytes()).isEqualTo(2L * HEADS.width() * WIDTH * Float.BYTES);
    }
  }

  @Test
  void noNameStandsForTwoTensors() {
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      Joined again = new Joined("q", List.of("k"));
      assertThatThrownBy(
              () ->
                  WeightMap.of(
                      weights, w -> w.inward("q", HEADS, WIDTH).inward(again, HEADS, WIDTH)))
          .hasMessage("q.weight is read twice");
    }
  }

  private static TensorMap layers(Weights weights, Share share) {
    return WeightMap.of(
        weights,
        share,
        w -> w.inward(QUERIES_KEYS, HEADS, WIDTH).outward("out", WIDTH, HEADS, NEURONS));
  }
}
