package io.xfuser.spring;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What {@code application.properties} says of the pipeline. The four maps take every setting by its
 * name, in any of Spring's spellings: {@code xfuser.parallel.ulysses-degree=2}.
 *
 * @param model a directory or file, or on the hub {@code org/name}
 * @param settings of the model: {@code variant}, {@code lora}, {@code quantize}, …
 * @param parallel the degrees
 * @param runtime element type, device, threads, …
 * @param defaults of requests: {@code height}, {@code num_inference_steps}, {@code seed}, …
 * @param loadAtStart whether weights are read before the application is ready, else by the first
 *     request
 * @param maxWaiting requests that may wait, 64 if it is not given
 * @param shutdownTimeout how long a request that runs may go on when the application ends
 * @param stalledAfter without progress for how long a request that runs makes it unhealthy
 */
@ConfigurationProperties("xfuser")
public record XfuserProperties(
    @Nullable String model,
    @DefaultValue Map<String, Object> settings,
    @DefaultValue Map<String, Object> parallel,
    @DefaultValue Map<String, Object> runtime,
    @DefaultValue Map<String, Object> defaults,
    @DefaultValue("true") boolean loadAtStart,
    @Nullable Integer maxWaiting,
    @DefaultValue("30s") Duration shutdownTimeout,
    @DefaultValue("5m") Duration stalledAfter) {

  /**
   * The engine that is described.
   *
   * @throws ArgumentException naming the property, for a setting that there is not or a wrong value
   */
  public EngineConfig engine() {
    if (model == null || model.isBlank()) {
      throw new ArgumentException("xfuser.model names no directory and no model");
    }
    ModelConfig.Builder chosen =
        ModelConfig.named(model, null).setAll(read("settings", ModelConfig.SETTINGS, settings));
    return EngineConfig.builder(chosen.build())
        .parallel(p -> p.setAll(read("parallel", ParallelConfig.SETTINGS, parallel)))
        .runtime(r -> r.setAll(read("runtime", RuntimeConfig.SETTINGS, runtime)))
        .build();
  }

  /**
   * What requests ask for besides their prompts.
   *
   * @throws ArgumentException as {@link #engine}
   */
  public InputConfig request() {
    return InputConfig.builder().setAll(read("defaults", InputConfig.SETTINGS, defaults)).build();
  }

  private static Map<Setting<?>, Object> read(
      String group, List<Setting<?>> settings, Map<String, Object> given) {
    Map<Setting<?>, Object> values = new LinkedHashMap<>();
    given.forEach(
        (name, value) -> {
          Setting<?> setting =
              settings.stream()
                  .filter(one -> plain(one.name()).equals(plain(name)))
                  .findFirst()
                  .orElseThrow(
                      () ->
                          new ArgumentException(
                              "xfuser.%s.%s is no setting, but %s are"
                                  .formatted(group, name, settings)));
          values.put(setting, value instanceof Map<?, ?> list ? list.values() : value);
        });
    return values;
  }

  /** Spring leaves out underscores, and environment variables have dots in their place. */
  private static String plain(String name) {
    return name.replaceAll("[-_.]", "").toLowerCase(Locale.ROOT);
  }
}
