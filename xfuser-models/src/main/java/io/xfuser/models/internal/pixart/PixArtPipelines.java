package io.xfuser.models.internal.pixart;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.internal.LatentPipeline;
import java.util.Set;

/** Opens PixArt-α and PixArt-Σ directories. */
public final class PixArtPipelines implements PipelineProvider {
  private static final String ALPHA = "PixArtAlphaPipeline";
  private static final String SIGMA = "PixArtSigmaPipeline";

  @Override
  public Set<String> classNames() {
    return Set.of(ALPHA, SIGMA);
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    boolean alpha = components.index().getString("_class_name").equals(ALPHA);
    PixArtVariant kind = alpha ? PixArtVariant.alpha() : PixArtVariant.sigma();
    return LatentPipeline.checked(new PixArtPipeline(kind, components));
  }
}
