package io.xfuser.models.process;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A request in words, which can be sent to another process: {@code --model DIR}, {@code
 * --output_directory DIR}, and settings by their names with what follows as their values.
 */
record WrittenRequest(EngineConfig engine, InputConfig input, Path output) {
  static WrittenRequest parse(List<String> words) {
    Map<String, List<String>> written = new LinkedHashMap<>();
    List<String> values = new ArrayList<>();
    for (String word : words) {
      if (word.startsWith("--")) {
        String[] named = word.substring(2).split("=", 2);
        values = new ArrayList<>(List.of(named).subList(1, named.length));
        written.put(named[0], values);
      } else {
        values.add(word);
      }
    }
    Map<Setting<?>, Object> given = new LinkedHashMap<>();
    Stream.of(InputConfig.SETTINGS, RuntimeConfig.SETTINGS, ParallelConfig.SETTINGS)
        .flatMap(List::stream)
        .forEach(
            setting -> {
              List<String> value = written.get(setting.name());
              if (value != null) {
                given.put(
                    setting, value.isEmpty() ? true : setting.isList() ? value : value.get(0));
              } else if (written.containsKey("no_" + setting.name())) {
                given.put(setting, false);
              }
            });
    EngineConfig engine =
        EngineConfig.builder(
                ModelConfig.builder(path(written, "model"))
                    .set(ModelConfig.TEXT_CACHE, 0) // it can be stopped while it encodes
                    .build())
            .runtime(runtime -> runtime.setAll(given))
            .parallel(parallel -> parallel.setAll(given))
            .build();
    InputConfig input = InputConfig.builder().setAll(given).build();
    return new WrittenRequest(engine, input, path(written, "output_directory"));
  }

  private static Path path(Map<String, List<String>> written, String name) {
    return Path.of(written.getOrDefault(name, List.of("results")).get(0));
  }
}
