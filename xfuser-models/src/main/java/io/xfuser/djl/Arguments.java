package io.xfuser.djl;

import ai.djl.repository.zoo.Criteria;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The arguments of DJL's criteria, as settings.
 *
 * @param values as they were given
 */
record Arguments(Map<Setting<?>, Object> values) {
  /**
   * Those of {@code criteria}, by their settings' names; dashes and underscores are the same.
   *
   * @param prompts whether requests are prompts alone, so that arguments describe the pictures too
   * @throws ArgumentException for the first that is no setting, or has no value
   */
  static Arguments of(Criteria<?, ?> criteria, boolean prompts) {
    Map<String, Setting<?>> known = new TreeMap<>();
    List<Setting<?>> settings = new ArrayList<>(ParallelConfig.SETTINGS);
    settings.addAll(RuntimeConfig.SETTINGS);
    settings.addAll(ModelConfig.SETTINGS);
    settings.remove(ModelConfig.DOWNLOAD_DIR); // DJL knows where the model is
    if (prompts) {
      settings.addAll(InputConfig.SETTINGS);
      settings.remove(InputConfig.PROMPT); // the requests bring theirs
    }
    settings.forEach(setting -> known.put(setting.name(), setting));
    Map<Setting<?>, Object> values = new LinkedHashMap<>();
    Map<String, Object> given = criteria.getArguments();
    new TreeMap<>(given == null ? Map.of() : given)
        .forEach(
            (name, value) -> {
              Setting<?> setting = known.get(name.replace('-', '_'));
              if (setting == null) {
                throw new ArgumentException(
                    "the criteria have the argument %s, but only %s have a meaning here"
                        .formatted(name, known.keySet()));
              }
              if (value == null) {
                throw new ArgumentException("the criteria's argument " + name + " has no value");
              }
              values.put(setting, value);
            });
    return new Arguments(values);
  }

  /** What they say of how {@code model} is computed, and by how many ranks. */
  EngineConfig engine(Path model) {
    return EngineConfig.builder(ModelConfig.builder(model).setAll(values).build())
        .runtime(runtime -> runtime.setAll(values))
        .parallel(parallel -> parallel.setAll(values))
        .build();
  }
}
