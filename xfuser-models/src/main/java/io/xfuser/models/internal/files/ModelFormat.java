package io.xfuser.models.internal.files;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A transformer in a file, by which the pipeline is known, and what the pipeline needs beside. */
public interface ModelFormat extends CheckpointFormat {
  @Override
  default String component() {
    return "transformer";
  }

  @Override
  default List<String> prefixes() {
    return List.of("model.diffusion_model.", "model.model.", "diffusion_model.", "transformer.");
  }

  /** Settings of the transformer that no shape tells, but the name of its {@code file}. */
  default Map<String, Object> named(Path file) {
    return Map.of();
  }

  String className();

  /**
   * The class of the pipeline that draws with it.
   *
   * @param tensors by the model's names
   * @param file its name may tell what shapes do not
   */
  String pipeline(Tensors tensors, Path file);

  /** What {@code model_index.json} would have besides the pipeline's components. */
  default Map<String, Object> index(Tensors tensors, Path file) {
    return Map.of();
  }

  /**
   * The settings of its scheduler, as published.
   *
   * @param file its name may tell what shapes do not
   */
  Map<String, Object> scheduler(Tensors tensors, Path file);

  /**
   * The settings of a scheduler of flow matching, by Euler's method.
   *
   * @param shift of its noise levels
   * @param more settings that differ from its defaults
   */
  static Map<String, Object> flowMatching(double shift, Map<String, ?> more) {
    Map<String, Object> all = new HashMap<>(more);
    all.put("_class_name", "FlowMatchEulerDiscreteScheduler");
    all.put("num_train_timesteps", 1000);
    all.put("shift", shift);
    return all;
  }

  /**
   * The settings of its component that weighs prompts; empty where it has none.
   *
   * @param file its name may tell what shapes do not
   */
  default Map<String, Object> guider(Path file) {
    return Map.of();
  }

  /** The settings of its autoencoder that no shape tells. */
  Map<String, Object> vae();

  /**
   * The settings by which pictures are read for a text encoder; empty where it reads none.
   *
   * @param tensors by the model's names
   * @param file its name may tell what shapes do not
   */
  default Map<String, Object> processor(Tensors tensors, Path file) {
    return Map.of();
  }

  /** Which of the transformers of a model a file has. */
  enum Half {
    /** The only one, as far as its name tells. */
    ALONE,
    /** That of the steps with more noise. */
    FIRST,
    /** That of the steps with less. */
    SECOND
  }

  /** Which one {@code file} has, by its name: no tensor tells. */
  default Half half(Path file) {
    return Half.ALONE;
  }

  /**
   * What {@code model_index.json} would have besides, where there are two; empty where a model of
   * such a transformer never has.
   *
   * @param tensors by the model's names
   */
  default Map<String, Object> indexOfTwo(Tensors tensors) {
    return Map.of();
  }

  /**
   * The class of what encodes pictures for it; empty where it sees none but their latents.
   *
   * @param tensors by the model's names
   */
  default String imageEncoder(Tensors tensors) {
    return "";
  }

  List<TextSlot> texts();

  /**
   * A text encoder of the pipeline.
   *
   * @param suffix of the names of encoder and tokenizer, {@code _2} for example
   * @param className the encoder's class
   * @param tokenizer the tokenizer's class
   * @param infix what the prefix of its names has where all is in one file: {@code clip_l}
   * @param optional whether the pipeline can do without
   * @param config settings that no shape tells
   */
  record TextSlot(
      String suffix,
      String className,
      String tokenizer,
      String infix,
      boolean optional,
      Map<String, Object> config) {
    /** The component's name. */
    public String encoder() {
      return "text_encoder" + suffix;
    }

    public String tokenizerName() {
      return "tokenizer" + suffix;
    }
  }
}
