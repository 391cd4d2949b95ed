package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kernel that the CPU has computes the same attention, alone, in parts and over patches. */
class AttentionKernelsTest {
  /** Tensors, and the equation in fp32. */
  private static final Program EQUATIONS = Program.load(Torch.class, "half_precision_test.py");

  private static final long[] PACKED = {2, 70, 3, 3, 12}; // (B, L, 3, H, D)
  private static final Sequence SEQUENCE = new Sequence(new Sequence.Axes(1, 1, (int) PACKED[1]));

  static Stream<Arguments> onTheCpu() {
    return Stream.of(ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.FLOAT16)
        .flatMap(
            type ->
                EnumSet.allOf(AttentionKernel.class).stream()
                    .filter(kernel -> kernel.refusal(false, type).isEmpty())
                    .map(kernel -> Arguments.of(kernel, type)));
  }

  /** Of the largest value: some roundings. */
  private static double tolerance(ElementType type) {
    return switch (type) {
      case FLOAT32 -> 1e-5;
      case FLOAT16 -> 4e-3;
      default -> 3e-2;
    };
  }

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @MethodSource("onTheCpu")
  void localAttentionEqualsItsEquation(AttentionKernel kernel, ElementType type) {
    try (NDManager manager = Torch.newManager()) {
      NDArray packed = packed(manager, type);
      Qkv qkv = new Qkv(packed, new PatchSpan(0, 1));
      NDArray ours = new LocalAttention(kernel).attend(manager, qkv);
      assertThat(ElementType.of(ours)).isEqualTo(type);
      assertThat(difference(manager, packed, ours)).isLessThan(tolerance(type));
    }
  }

  @ParameterizedTest
  @MethodSource("onTheCpu")
  void aRingsPartsAddUpToTheEquation(AttentionKernel kernel, ElementType type) throws Exception {
    int ring = 3;
    List<Double> differences =
        TestRanks.IN_PROCESS.run(
            ring,
            world -> {
              Torch.prepareThread(1);
              try (NDManager manager = Torch.newManager()) {
                NDArray packed = packed(manager, type);
                TokenLayout layout = new TokenLayout(SEQUENCE, 1, ring);
                NDArray own = rows(manager, packed, layout, world.rank());
                Attention attention =
                    new RingAttention(world.group(Channel.RING, List.of(0, 1, 2)), kernel);
                NDArray part = attention.attend(manager, new Qkv(own, layout.all()));
                NDArray expected = rows(manager, equation(manager, packed), layout, world.rank());
                return EQUATIONS.callDouble("difference", List.of(part), List.of(expected));
              }
            });
    assertThat(differences).allSatisfy(d -> assertThat(d).isLessThan(tolerance(type)));
  }

  @ParameterizedTest
  @MethodSource("onTheCpu")
  void aPatchAttendsTheWholeBuffer(AttentionKernel kernel, ElementType type) throws Exception {
    List<Double> differences =
        TestRanks.IN_PROCESS.run(
            1,
            world -> {
              Torch.prepareThread(1);
              try (NDManager manager = Torch.newManager()) {
                NDArray packed = packed(manager, type);
                TokenLayout layout = new TokenLayout(SEQUENCE, 2, 1);
                Attention attention =
                    new PatchAttention(
                        manager, layout, List.of(0), world.group(Channel.RING, List.of(0)), kernel);
                attention.attend(manager, new Qkv(packed, layout.all()));
                NDArray half = Torch.slice(manager, packed, 1, 35, 70);
                NDArray ours = attention.attend(manager, new Qkv(half, PatchSpan.of(1)));
                NDArray expected = Torch.slice(manager, equation(manager, packed), 1, 35, 70);
                return EQUATIONS.callDouble("difference", List.of(ours), List.of(expected));
              }
            });
    assertThat(differences.get(0)).isLessThan(tolerance(type));
  }

  private static NDArray rows(NDManager manager, NDArray x, TokenLayout layout, int shard) {
    long[] positions = layout.positions(shard);
    return Torch.copy(
        manager, Torch.slice(manager, x, 1, positions[0], positions[positions.length - 1] + 1));
  }

  private static NDArray packed(NDManager manager, ElementType type) {
    return EQUATIONS.call(manager, "random", PACKED, 7, type.scalarType());
  }

  private static double difference(NDManager manager, NDArray packed, NDArray ours) {
    return EQUATIONS.callDouble("difference", List.of(ours), List.of(equation(manager, packed)));
  }

  /** (B, L, H, D) in fp32. */
  private static NDArray equation(NDManager manager, NDArray packed) {
    NDList qkv = EQUATIONS.callList(manager, "heads", packed);
    return EQUATIONS
        .callList(manager, "attention_equation", qkv.get(0), qkv.get(1), qkv.get(2))
        .singletonOrThrow();
  }
}
