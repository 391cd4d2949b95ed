package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ProgramTest {
  private static final Program PROGRAM = Program.load(ProgramTest.class, "program_test.py");

  @Test
  void everyKindOfArgumentArrives() {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = manager.create(new float[] {1, 2, 3});
      try (TensorMap weights = TensorMap.of(Map.of("first", x))) {
        NDArray sum =
            PROGRAM.call(
                manager,
                "arguments",
                x,
                weights,
                List.of(x, x),
                2,
                0.5,
                true,
                "add",
                new long[] {3, 4},
                new double[] {1});
        assertThat(sum.toFloatArray()).containsExactly(4 + 10.5f, 8 + 10.5f, 12 + 10.5f);
      }
    }
  }

  /** As DJL's own models want it, or a thread that nobody has prepared. */
  @Test
  void aThreadWithTheProfilingExecutorChangesNoPlan() throws InterruptedException {
    List<Float> results = Collections.synchronizedList(new ArrayList<>());
    for (boolean profiles : new boolean[] {true, false}) {
      Thread caller =
          new Thread(
              () -> {
                try (NDManager manager = Torch.newManager()) {
                  NDArray zero = manager.create(new float[] {0});
                  for (int i = 0; i < 3; i++) { // it optimizes from the second or third call on
                    JniUtils.setGraphExecutorOptimize(profiles);
                    results.add(PROGRAM.call(manager, "sign_of_zero", zero).getFloat());
                  }
                }
              });
      caller.start();
      caller.join();
    }
    assertThat(results).hasSize(6).containsOnly(Float.POSITIVE_INFINITY);
  }

  @Test
  void onlyWhatAProgramCallsIsJoinedToIt() {
    assertThat(Prelude.usedBy("def twice(self, x: Tensor) -> Tensor:\n  return x + x\n", false))
        .isEmpty();
    String used = Prelude.usedBy("  return self.linear(x, w, name)\n", false);
    assertThat(used).contains("def linear(self").doesNotContain("def rms_norm(self");
  }

  @Test
  void linearEqualsItsEquation() {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = manager.create(new float[] {1, 2, 3, 4}, new ai.djl.ndarray.types.Shape(1, 2, 2));
      NDArray w = manager.create(new float[] {1, 0, 0, 2}, new ai.djl.ndarray.types.Shape(2, 2));
      NDArray b = manager.create(new float[] {10, 20});
      assertThat(
              PROGRAM.call(manager, "affine", x, Map.of("a.weight", w, "a.bias", b)).toFloatArray())
          .containsExactly(11, 24, 13, 28);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16", "INT64", "UINT8"})
  void memoryOfEveryTypeIsSharedNotCopied(ElementType type) {
    try (NDManager manager = Torch.newManager()) {
      NDArray tensor = Torch.cast(manager, manager.create(new float[] {1, 2, 3}), type);
      assertThat(ElementType.of(tensor)).isEqualTo(type);
      ByteBuffer memory = Torch.memory(tensor);
      assertThat(memory.remaining()).isEqualTo(3 * type.bytes());
      for (int i = 0; i < memory.capacity(); i++) {
        memory.put(i, (byte) 0);
      }
      assertThat(Torch.cast(manager, tensor, ElementType.FLOAT32).toFloatArray())
          .containsExactly(0, 0, 0);
    }
  }

  @Test
  void aTensorOutlivesItsSenderOnceShared() {
    try (NDManager receiver = Torch.newManager()) {
      SharedTensor shared;
      try (NDManager sender = Torch.newManager()) {
        shared = SharedTensor.of(Torch.copy(sender, sender.create(new float[] {7})));
      }
      assertThat(shared.receive(receiver).toFloatArray()).containsExactly(7);
    }
  }

  @Test
  void anUnknownFunctionIsNamed() {
    assertThatThrownBy(() -> PROGRAM.callLong("nothing")).hasMessageContaining("nothing");
  }

  @Test
  void aWeightThatIsNotThereIsNamedWithTheFunctionThatAsksForIt() {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = manager.create(new float[] {1});
      assertThatThrownBy(() -> PROGRAM.call(manager, "affine", x, Map.of("b.weight", x)))
          .hasMessageStartingWith(
              "ProgramTest[program_test.py].affine: there is no weight \"a.weight\"\n");
    }
  }

  @Test
  void aFailingFirstLoadIsTriedAgainAtTheNextCall() {
    AtomicInteger reads = new AtomicInteger();
    Program program =
        new Program(
            "twice",
            fused -> {
              if (reads.incrementAndGet() == 1) {
                throw new UncheckedIOException(new IOException("Too many open files"));
              }
              return "def twice(self, n: int) -> int:\n  return n + n\n";
            });
    assertThatThrownBy(() -> program.callLong("twice", 2)).hasMessageContaining("Too many open");
    assertThat(program.callLong("twice", 2)).isEqualTo(4);
    assertThat(program.callLong("twice", 3)).isEqualTo(6);
    assertThat(reads).hasValue(2);
  }

  @Test
  void onlyAnUnknownOperatorMeansThatLibtorchDoesNotHaveIt() {
    String unknown = "def f(self, x: Tensor) -> Tensor:\n  return ops.nothing.here(x)\n";
    assertThat(Program.compileIfKnown("unknown", unknown)).isEmpty();
    assertThat(Program.compileIfKnown("known", unknown.replace("ops.nothing.here", "torch.relu")))
        .isPresent();
    assertThatThrownBy(() -> Program.compileIfKnown("broken", unknown.replace("return", "retrun")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("libtorch rejects the program broken");
  }

  @Test
  void theFirstLineOfAFailureHasItsReason() {
    Program program =
        Program.compile(
            "large",
            """
            def empty(self, n: int) -> Tensor:
              return torch.empty([n], dtype=0, device=torch.device("cpu"))
            def fail(self, n: int) -> Tensor:
              return torch.ones([n]) + torch.ones([n + 1])
            """);
    try (NDManager manager = Torch.newManager()) {
      long bytes = 1L << 55;
      assertThatThrownBy(() -> program.call(manager, "empty", bytes))
          .hasMessageStartingWith(
              "large.empty: out of memory, " + bytes + " bytes more were needed");
      assertThatThrownBy(() -> program.call(manager, "fail", 2))
          .hasMessageStartingWith("large.fail: The size of tensor a (2) must match");
    }
  }
}
