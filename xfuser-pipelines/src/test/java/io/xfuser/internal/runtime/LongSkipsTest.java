package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.nn.Range;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every block gets the output of its mirror image, wherever stages begin. */
class LongSkipsTest {
  private static final int DEPTH = 8;
  private static final int PASSES = 3;
  private static final Hidden.Place PLACE =
      new Hidden.Place(new TokenRange(0, 2), new PatchSpan(0, 1));

  /** All ways to cut the blocks into up to four stages. */
  static Stream<List<Range>> stages() {
    return IntStream.range(0, 1 << (DEPTH - 1))
        .filter(cuts -> Integer.bitCount(cuts) < 4)
        .mapToObj(LongSkipsTest::stages);
  }

  private static List<Range> stages(int cuts) {
    List<Range> stages = new ArrayList<>();
    int from = 0;
    for (int block = 1; block <= DEPTH; block++) {
      if (block == DEPTH || (cuts >> (block - 1) & 1) == 1) {
        stages.add(new Range(from, block));
        from = block;
      }
    }
    return stages;
  }

  @ParameterizedTest
  @MethodSource("stages")
  void everyReaderGetsItsSourceInEveryPass(List<Range> stages) throws Exception {
    List<Integer> read =
        TestRanks.IN_PROCESS.run(
            stages.size(),
            world -> {
              Communicator ranks =
                  world.group(Channel.SKIP, IntStream.range(0, stages.size()).boxed().toList());
              LongSkips skips =
                  new LongSkips(new Mirrored(), stages, ranks, OptionalInt.of(PASSES));
              int readers = 0;
              try (NDManager manager = Torch.newManager()) {
                for (int pass = 0; pass < PASSES; pass++) {
                  readers += pass(manager, skips, stages.get(ranks.rank()), pass);
                }
              }
              return readers;
            });
    assertThat(read.stream().mapToInt(Integer::intValue).sum()).isEqualTo(PASSES * 3);
  }

  /** Runs {@code own} blocks, whose outputs live no longer than the next block needs them. */
  private static int pass(NDManager manager, LongSkips skips, Range own, int number) {
    int readers = 0;
    try (NDManager scope = manager.newSubManager()) {
      LongSkips.Pass pass = skips.pass(scope);
      for (int block = own.from(); block < own.to(); block++) {
        try (NDManager brief = scope.newSubManager()) {
          Hidden input = pass.before(block, new Hidden(output(brief, -1, number), PLACE));
          NDArray skip = input.skip();
          assertThat(skip != null).isEqualTo(Mirrored.source(block).isPresent());
          if (skip != null) {
            int source = Mirrored.source(block).getAsInt();
            assertThat(skip.toFloatArray()).containsOnly(value(source, number));
            readers++;
          }
          pass.after(block, new Hidden(output(brief, block, number), PLACE));
        }
      }
      pass.end();
    }
    return readers;
  }

  private static NDArray output(NDManager owner, int block, int pass) {
    return owner.full(new Shape(1, 2, 3), value(block, pass));
  }

  private static float value(int block, int pass) {
    return 100 * pass + block;
  }

  /** Blocks 5, 6 and 7 read blocks 2, 1 and 0. */
  private record Mirrored() implements TransformerSpec<String> {
    static OptionalInt source(int index) {
      return index > DEPTH / 2 ? OptionalInt.of(DEPTH - 1 - index) : OptionalInt.empty();
    }

    @Override
    public OptionalInt skipFrom(int index) {
      return source(index);
    }

    @Override
    public int depth() {
      return DEPTH;
    }

    @Override
    public int heads() {
      return 1;
    }

    @Override
    public int headSize() {
      return 1;
    }

    @Override
    public Block<String> block(int index, Share share) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Embedding<String> embedding() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Head<String> head() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Conditioner<String> conditioner() {
      throw new UnsupportedOperationException();
    }
  }
}
