package io.xfuser.internal.files;

import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Makes a pipeline's components of files that are no diffusers directory, or not all of one; found
 * by {@link java.util.ServiceLoader}.
 */
public interface ModelAssembler {
  /**
   * The components of the model of {@code config}, a file, or a directory some of whose components
   * are given apart, with {@code adapters} as further ones. Headers are read, and weights are not.
   *
   * @throws ModelException in one sentence, if the file is no such model, or a component is missing
   */
  PipelineComponents assemble(ModelConfig config, List<Adapter> adapters, LoadOptions loading);

  /**
   * An IP-Adapter.
   *
   * @param file its weights
   * @param scales how much it counts: one for all blocks, or one for each
   */
  record Adapter(Path file, List<Double> scales) {}

  /**
   * What is in {@code place}, a file of weights, or a directory of a pipeline, of one component or
   * of a LoRA: texts, numbers, lists and maps by their names. Headers are read, and weights are
   * not.
   *
   * @param parts of a model that are given beside it, by their names
   * @throws ModelException in one sentence, if it is none of these
   */
  Map<String, Object> inspect(Path place, Map<String, Path> parts);
}
