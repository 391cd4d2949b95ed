package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Share;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A T5 encoder of which each rank has a share. */
class T5SharesTest {
  /** 4 heads of 8 over width 32, 64 neurons with a gate, 2 layers. */
  private static final Path TINY = TextFixtures.path("pixart_sigma_tiny/text_encoder");

  /** 3 heads of 4 over width 16, 24 neurons with ReLU. */
  private static final Path RELU = TextFixtures.path("t5_relu");

  private static final Path STATES = TextFixtures.path("text/t5.safetensors");

  private NDManager manager;

  /** What one rank had and did. */
  private record Outcome(FloatBuffer states, long parameterBytes, long sentBytes) {}

  @BeforeEach
  void open() {
    Torch.prepareThread(1);
    manager = Torch.newManager();
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 7})
  void sharesTogetherGiveTheStatesOfTheWholeOnEveryRank(int shares) throws Exception {
    for (String name : List.of("padded_120", "long")) {
      List<Outcome> all = encode(TestRanks.IN_PROCESS, shares, TINY, name);
      assertThat(difference(all, STATES, name + ".states")).isLessThan(1e-5);
      assertThat(all).extracting(Outcome::states).containsOnly(all.get(0).states());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 5})
  void soDoSharesWithReluAndNarrowHeads(int shares) throws Exception {
    List<Outcome> all = encode(TestRanks.IN_PROCESS, shares, RELU, "");
    assertThat(difference(all, RELU.resolve("states.safetensors"), "states")).isLessThan(1e-5);
  }

  @ParameterizedTest
  @CsvSource({"BFLOAT16, 2e-2", "FLOAT16, 2e-3"})
  void halfPrecisionIsWithinItsRoundings(ElementType type, double tolerance) throws Exception {
    List<Outcome> all =
        TestRanks.IN_PROCESS.run(3, world -> share(world, TINY, "padded_120", type));
    Path half = TextFixtures.path("text/t5_half.safetensors");
    assertThat(difference(all, half, "padded_120." + type.torchName())).isLessThan(tolerance);
  }

  @ParameterizedTest
  @EnumSource(names = {"SOCKET", "NCCL"})
  void messagesOfAllKindsGiveTheSameBits(TestRanks ranks) throws Exception {
    assertThat(encode(ranks, 3, TINY, "short"))
        .isEqualTo(encode(TestRanks.IN_PROCESS, 3, TINY, "short"));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 7})
  void parametersAreTheOwnHeadsNeuronsAndRowsAndTheNorms(int shares) throws Exception {
    List<Outcome> all = encode(TestRanks.IN_PROCESS, shares, TINY, "short");
    for (int part = 0; part < shares; part++) {
      Share share = new Share(part, shares);
      long heads = share.of(4).length();
      long layer = 4 * 32 * 8 * heads + 3L * 32 * share.of(64).length() + 2 * 32;
      long elements = 2 * layer + 32 * heads + 32L * share.of(1808).length() + 32;
      assertThat(all.get(part).parameterBytes()).as("share %d", part).isEqualTo(4 * elements);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void sentAreTheSumsAfterEmbeddingAttentionsAndFeedForwardLayers(int shares) throws Exception {
    List<Outcome> all = encode(TestRanks.IN_PROCESS, shares, TINY, "padded_120");
    long states = TextFixtures.tensor(manager, STATES, "padded_120.states").size(); // B·T·D
    for (int part = 0; part < shares; part++) {
      long own = states * (part + 1) / shares - states * part / shares;
      long sum = states - own + (shares - 1) * own; // 2·(N − 1) / N of the states
      assertThat(all.get(part).sentBytes()).isEqualTo(4 * (1 + 2 * 2) * sum);
    }
  }

  @Test
  void anotherShareIsNotTakenForTheOwn() {
    try (T5Encoder half =
        T5Encoder.open(
            EncoderFolder.of(TINY, LoadOptions.of(ElementType.FLOAT32)), new Share(0, 2))) {
      NDArray ids = TextFixtures.tensor(manager, STATES, "short.ids");
      assertThatThrownBy(() -> half.states(manager, TextInput.of(ids)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("share 0 of 2 of a T5 encoder cannot take the place of share 0 of 1");
    }
  }

  private static List<Outcome> encode(TestRanks ranks, int shares, Path directory, String name)
      throws Exception {
    return ranks.run(shares, world -> share(world, directory, name, ElementType.FLOAT32));
  }

  private static Outcome share(World world, Path directory, String name, ElementType type) {
    Share share = new Share(world.rank(), world.size());
    List<Integer> all = IntStream.range(0, world.size()).boxed().toList();
    BlockContext context =
        new BlockContext(List.of(), share, world.group(Channel.TEXT, all)::allReduceSum);
    Path texts = name.isEmpty() ? directory.resolve("states.safetensors") : STATES;
    String prefix = name.isEmpty() ? "" : name + ".";
    try (NDManager scope = Torch.newManager();
        T5Encoder encoder =
            T5Encoder.open(EncoderFolder.of(directory, LoadOptions.of(type)), share)) {
      NDArray ids = TextFixtures.tensor(scope, texts, prefix + "ids");
      NDArray mask = TextFixtures.tensor(scope, texts, prefix + "mask");
      NDArray states = encoder.states(scope, new TextInput(ids, mask, context));
      assertThat(ElementType.of(states)).isEqualTo(type);
      float[] values = Pixels.floats(Torch.cast(scope, states, ElementType.FLOAT32));
      return new Outcome(
          FloatBuffer.wrap(values), encoder.parameterBytes(), world.counter().sent(Channel.TEXT));
    }
  }

  /** Of the first rank's states from those recorded, relative to the largest. */
  private double difference(List<Outcome> all, Path file, String name) {
    NDArray expected = TextFixtures.tensor(manager, file, name);
    NDArray states = manager.create(all.get(0).states().duplicate(), expected.getShape());
    return TextFixtures.relativeDifference(manager, states, expected);
  }
}
