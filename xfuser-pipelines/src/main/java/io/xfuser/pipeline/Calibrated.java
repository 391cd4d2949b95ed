package io.xfuser.pipeline;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.cache.CalibrationFile;
import io.xfuser.model.PipelineModel;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A model whose step caches go by what a user has measured, not by what is published. */
record Calibrated<C>(PipelineModel<C> model, Calibration calibration)
    implements PipelineModel.Forwarding<C> {
  /**
   * {@code model} with what is in {@code file}, itself if there is none; closed if it cannot be
   * used.
   *
   * @throws ModelException in one sentence with the file
   */
  static PipelineModel<?> of(PipelineModel<?> model, @Nullable Path file) {
    try {
      return file == null ? model : with(model, CalibrationFile.read(file));
    } catch (ModelException e) {
      model.close();
      throw e;
    }
  }

  private static <C> PipelineModel<C> with(PipelineModel<C> model, Calibration measured) {
    return new Calibrated<>(model, measured);
  }

  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return model.transformer(placement);
  }

  @Override
  public List<TransformerSpec<C>> transformers(Placement placement) {
    return model.transformers(placement);
  }
}
