package io.xfuser.djl;

import ai.djl.repository.MRL;
import ai.djl.repository.Repository;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelZoo;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.natives.DjlSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * A directory in diffusers' layout, for DJL's {@code Criteria}:
 *
 * <pre>{@code
 * Criteria<String, Image> criteria = Criteria.builder()
 *     .setTypes(String.class, Image.class)
 *     .optModelZoo(new DiffusersZoo(directory))
 *     .optArgument("ulysses_degree", 2)
 *     .build();
 * try (ZooModel<String, Image> model = criteria.loadModel();
 *     Predictor<String, Image> predictor = model.newPredictor()) {
 *   Image fox = predictor.predict("a fox");
 * }
 * }</pre>
 *
 * <p>The types are {@code String → Image}, prompt to picture, or {@link
 * io.xfuser.config.InputConfig} → {@link io.xfuser.pipeline.Generation}. Arguments are the settings
 * of {@link io.xfuser.config.RuntimeConfig} and {@link io.xfuser.config.ParallelConfig} by their
 * names: how it is computed and by how many ranks, all of them threads of this JVM; and, for
 * prompts alone, those of {@code InputConfig}, what the picture is like. What a request cannot be
 * is a {@code TranslateException} with the reason as its cause.
 *
 * <p>{@code optDevice} is the same as the argument {@code device}, and {@code optProgress} hears of
 * the opening; other engines, blocks, translators, options and filters are refused.
 *
 * <p>Predictors of one model, on any threads, share its ranks; their requests queue. Closing the
 * model releases it.
 */
public final class DiffusersZoo extends ModelZoo {
  private final Path directory;
  private final MRL location;

  /**
   * The zoo of {@code directory}.
   *
   * @throws ArgumentException if there is no such directory
   */
  public DiffusersZoo(Path directory) {
    DjlSettings.keepQuiet();
    if (!Files.isDirectory(directory)) {
      throw new ArgumentException("there is no model directory " + directory);
    }
    this.directory = directory;
    this.location = Repository.newInstance("diffusers", directory).getResources().get(0);
  }

  @Override
  public String getGroupId() {
    return "io.xfuser";
  }

  @Override
  public Collection<ModelLoader> getModelLoaders() {
    return List.of(new DiffusersLoader(location, directory));
  }

  @Override
  public Set<String> getSupportedEngines() {
    return Set.of("PyTorch");
  }
}
