package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel.Handover;
import io.xfuser.models.internal.lora.LoraFusion;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * The transformer of the steps with less noise, {@code transformer_2}, which has the settings of
 * the first: it takes over below {@code boundary_ratio} of all timesteps.
 */
public final class SecondTransformer implements AutoCloseable {
  private static final String NAME = TwoTransformers.SECOND;
  private static final String BOUNDARY = TwoTransformers.BOUNDARY;

  private final ComponentWeights weights;
  private final double boundary;

  private SecondTransformer(ComponentWeights weights, double boundary) {
    this.weights = weights;
    this.boundary = boundary;
  }

  /**
   * That of a directory, if there is one.
   *
   * @param first settings of the first
   * @param reading makes settings of {@code config.json}
   * @throws ModelException if there is a boundary alone, or the settings are not equal
   */
  public static <T> Optional<SecondTransformer> of(
      PipelineComponents components, T first, Function<ComponentConfig, T> reading) {
    ComponentConfig index = components.index();
    if (!index.has(BOUNDARY)) {
      return Optional.empty();
    }
    if (!components.has(NAME)) {
      throw new ModelException("%s has a %s, but no %s".formatted(index.origin(), BOUNDARY, NAME));
    }
    ComponentConfig settings = components.config(NAME, "config.json").unquantized();
    T other = reading.apply(settings);
    if (!other.equals(first)) {
      throw new ModelException(
          "%s describes %s, but that of transformer %s".formatted(settings.origin(), other, first));
    }
    return Optional.of(
        new SecondTransformer(LoraFusion.of(components, NAME), index.getDouble(BOUNDARY)));
  }

  /**
   * When it takes over.
   *
   * @param timesteps of the training, in all
   */
  public Handover handover(GenerationRequest request, int timesteps) {
    Double guidance = request.input().get(InputConfig.GUIDANCE_SCALE_2);
    return new Handover(
        boundary * timesteps, Objects.requireNonNullElse(guidance, request.guidance().scale()));
  }

  /** Its weights, handed out on the device of {@code placement}. */
  public Weights weights(Placement placement) {
    return weights.handedOut(placement);
  }

  /** The same in fp32, whatever the run's type. */
  public Weights exactWeights(Placement placement) {
    return weights.handedOut(ElementType.FLOAT32, placement);
  }

  public long bytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }
}
