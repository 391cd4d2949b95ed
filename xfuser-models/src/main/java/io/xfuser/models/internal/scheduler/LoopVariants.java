package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the denoising loops of single pipelines do with a scheduler otherwise than all others, so
 * that the one loop of all pipelines does it too. Source: {@code __call__} of diffusers' pipelines.
 */
public final class LoopVariants {
  private LoopVariants() {}

  /**
   * As PixArt-α's: the only step of a request of one step gives the predicted original in the place
   * of the next sample. Solvers that report none draw what their step gives; diffusers fails there.
   */
  public static Scheduler originalInOneStep(Scheduler scheduler) {
    return scheduler.timesteps().length == 1 ? new Original(scheduler) : scheduler;
  }

  /** As in pipelines of rectified flows: neither the noise nor the model's input is scaled. */
  public static Scheduler unscaled(Scheduler scheduler) {
    return new Unscaled(scheduler);
  }

  /** Noise is drawn and samples are kept in fp32, whatever the run's type. */
  public static Scheduler fullPrecision(Scheduler scheduler) {
    return new FullPrecision(scheduler, true);
  }

  /** The same of samples that begin with noise alone; pictures are noised in the run's type. */
  public static Scheduler fullPrecisionOfNoise(Scheduler scheduler) {
    return new FullPrecision(scheduler, false);
  }

  /** Samples keep their type, whatever the solver makes of predictions in another one. */
  public static Scheduler inSampleType(Scheduler scheduler) {
    return new InSampleType(scheduler);
  }

  /** As DiT's: the noise is not scaled, and a step starts from what the model was given. */
  public static Scheduler fromModelInput(Scheduler scheduler) {
    return new FromModelInput(scheduler);
  }

  private record Original(Scheduler inner) implements ForwardingScheduler {
    @Override
    public Sample step(
        NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
      NDArray original = inner.original(owner, sample, prediction);
      return original == null
          ? inner.step(owner, sample, prediction, noise)
          : new Sample(original, List.of(), sample.step() + 1);
    }
  }

  private record Unscaled(Scheduler inner) implements ForwardingScheduler {
    @Override
    public double initialNoiseSigma() {
      return 1;
    }

    @Override
    public NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
      return Torch.alias(owner, tokens);
    }
  }

  private record FullPrecision(Scheduler inner, boolean pictures) implements ForwardingScheduler {
    @Override
    public ElementType sampleType(ElementType run, boolean begun) {
      return begun && !pictures ? inner.sampleType(run, begun) : ElementType.FLOAT32;
    }
  }

  private record InSampleType(Scheduler inner) implements ForwardingScheduler {
    @Override
    public Sample step(
        NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
      Sample next = inner.step(owner, sample, prediction, noise);
      ElementType type = ElementType.of(sample.tokens());
      return ElementType.of(next.tokens()) == type
          ? next
          : new Sample(Torch.cast(owner, next.tokens(), type), next.history(), next.step());
    }
  }

  private record FromModelInput(Scheduler inner) implements ForwardingScheduler {
    @Override
    public double initialNoiseSigma() {
      return 1;
    }

    @Override
    public Sample step(
        NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise) {
      try (NDManager scope = owner.newSubManager()) {
        return inner.step(owner, given(scope, sample), prediction, noise);
      }
    }

    @Override
    public @Nullable NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
      try (NDManager scope = owner.newSubManager()) {
        return inner.preview(owner, given(scope, sample), prediction);
      }
    }

    private Sample given(NDManager owner, Sample sample) {
      NDArray tokens = inner.scaleInput(owner, sample.tokens(), sample.step());
      return new Sample(tokens, sample.history(), sample.step());
    }
  }
}
