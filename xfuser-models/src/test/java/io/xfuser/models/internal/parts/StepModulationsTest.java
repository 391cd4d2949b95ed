package io.xfuser.models.internal.parts;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Part;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Vectors are six times their timestep, so that C is 1. */
class StepModulationsTest {
  private static final Program PROGRAM =
      Program.load(StepModulationsTest.class, "/io/xfuser/models/internal/adaln/adaln.py");

  private record Table(TensorMap weights) implements Part {}

  private final List<Double> made = new ArrayList<>();

  @Test
  void everyStepHasItsOwn() {
    List<Double> timesteps = IntStream.range(0, 40).mapToObj(t -> 40. - t).toList();
    try (NDManager request = Torch.newManager();
        Table block = new Table(TensorMap.of(Map.of("scale_shift_table", table(request))))) {
      StepModulations steps = modulations(request, timesteps);
      for (double timestep : timesteps) {
        try (NDManager step = request.newSubManager()) {
          StepModulations.Now now = steps.at(step, timestep);
          float t = (float) timestep;
          assertThat(now.vector().toFloatArray()).containsOnly(t).hasSize(6);
          NDArray m = now.of(block, PROGRAM, "modulation");
          assertThat(m.getShape()).isEqualTo(new Shape(6, 1, 1, 1));
          assertThat(m.toFloatArray()) // the factors are one more; the table has 0 to 5
              .containsExactly(t, t + 2, t + 2, t + 3, t + 5, t + 5);
          assertThat(now.of(block, PROGRAM, "modulation")).isSameAs(m);
        }
      }
      assertThat(made).isEqualTo(timesteps);
    }
  }

  @Test
  void aTimestepThatComesTwiceIsMadeOnce() {
    try (NDManager request = Torch.newManager()) {
      check(request, List.of(9., 8., 8., 7., 7.), 9, 8, 8, 7, 7);
      assertThat(made).containsExactly(9., 8., 7.);
    }
  }

  @Test
  void stepsAreComputedTogetherWhereverOneBegins() {
    List<Double> timesteps = IntStream.range(0, 40).mapToObj(t -> 40. - t).toList();
    try (NDManager request = Torch.newManager()) {
      check(request, timesteps, 20);
      assertThat(made).containsExactlyInAnyOrderElementsOf(timesteps.subList(16, 32));
    }
  }

  @Test
  void oneThatNobodyAnnouncedIsMadeAlone() {
    try (NDManager request = Torch.newManager()) {
      check(request, List.of(3., 2.), 5, 3, 5, 5, 2);
      assertThat(made).containsExactly(5., 3., 2., 5., 5., 2., 3.);
    }
  }

  /** On GPUs two biases are kept beside these six, so six are what is certainly there. */
  @Test
  void noBiasesAreKeptOnACpu() {
    try (NDManager request = Torch.newManager()) {
      Map<String, NDArray> weights = new HashMap<>();
      weights.put("scale_shift_table", request.zeros(new Shape(6, 4)));
      for (String layer : List.of("attn1.to_out.0", "attn2.to_q", "attn2.to_out.0")) {
        weights.put(layer + ".weight", request.zeros(new Shape(4, 4)));
        weights.put(layer + ".bias", request.zeros(new Shape(4)));
      }
      try (Table block = new Table(TensorMap.of(weights))) {
        NDArray timesteps = request.zeros(new Shape(3, 24));
        NDArray m = PROGRAM.call(request, "modulation", timesteps, block.weights());
        assertThat(m.getShape()).isEqualTo(new Shape(6, 3, 1, 4));
      }
    }
  }

  /** What is asked for is made, whatever was announced. */
  private void check(NDManager request, List<Double> announced, double... asked) {
    StepModulations steps = modulations(request, announced);
    for (double t : asked) {
      assertThat(steps.at(request, t).vector().toFloatArray()).containsOnly((float) t);
    }
  }

  private StepModulations modulations(NDManager request, List<Double> timesteps) {
    return new StepModulations(
        request,
        timesteps,
        (owner, t) -> {
          made.add(t);
          return owner.full(new Shape(1, 6), t.floatValue());
        });
  }

  private static NDArray table(NDManager owner) {
    return owner.create(new float[] {0, 1, 2, 3, 4, 5}, new Shape(6, 1));
  }
}
