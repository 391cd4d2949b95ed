package io.xfuser.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TermsTest {
  private static final Program PROGRAM = Program.load(TermsTest.class, "terms.py");

  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private NDArray number(float value) {
    return manager.create(new float[] {value});
  }

  private float block(Share share, BlockContext.Sum sum, float a, float b) {
    return new BlockContext(List.of(), share, sum)
        .terms(2, PROGRAM)
        .call(manager, "block", number(3), number(a), number(b))
        .getFloat();
  }

  @Test
  void aWholeBlockAddsAllTermsWithoutSums() {
    BlockContext.Sum none =
        (owner, addend) -> {
          throw new AssertionError("nothing to sum");
        };
    assertThat(block(Share.WHOLE, none, 2, 5)).isEqualTo(3 * (1 + 2) * (1 + 5));
  }

  @Test
  void eachTermOfAShareReadsTheSumOfTheTermsBefore() {
    List<Float> addends = new ArrayList<>();
    BlockContext.Sum other = // the first share has twice what this one has, and the tokens
        (owner, addend) -> {
          float own = addend.getFloat();
          float tokens = addends.isEmpty() ? 3 : 3 + 3 * addends.get(0);
          addends.add(own);
          return Torch.copy(owner, number(tokens + 3 * own));
        };
    // a third of the terms 6·x and 15·x
    float result = block(new Share(1, 2), other, 2, 5);
    assertThat(addends).containsExactly(2 * 3f, 5 * 3f * (1 + 6));
    assertThat(result).isCloseTo(3 * (1 + 6) * (1 + 15), within(1e-4f));
  }

  @Test
  void theFirstShareAddsTheTokensThemselves() {
    List<Float> addends = new ArrayList<>();
    BlockContext.Sum alone =
        (owner, addend) -> {
          addends.add(addend.getFloat());
          return Torch.copy(owner, addend);
        };
    assertThat(block(new Share(0, 2), alone, 2, 5)).isEqualTo(3 * (1 + 2) * (1 + 5));
    assertThat(addends).containsExactly(9f, 54f);
  }
}
