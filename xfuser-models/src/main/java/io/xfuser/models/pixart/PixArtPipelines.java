package io.xfuser.models.pixart;

import io.xfuser.config.RuntimeConfig;
import io.xfuser.pipeline.PipelineModel;
import io.xfuser.pipeline.PipelineProvider;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Opens PixArt-α and PixArt-Σ directories. */
public final class PixArtPipelines implements PipelineProvider {
  private static final String ALPHA = "PixArtAlphaPipeline";
  private static final String SIGMA = "PixArtSigmaPipeline";

  @Override
  public Set<String> classNames() {
    return Set.of(ALPHA, SIGMA);
  }

  @Override
  public PipelineModel<?> open(
      Path directory, ComponentConfig index, RuntimeConfig runtime, @Nullable String variant) {
    PixArtVariant kind =
        index.getString("_class_name").equals(ALPHA)
            ? PixArtVariant.alpha()
            : PixArtVariant.sigma();
    return new PixArtPipeline(kind, directory, runtime.dtype(), variant);
  }
}
