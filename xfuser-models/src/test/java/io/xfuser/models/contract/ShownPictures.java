package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.pipeline.DiffusionPipeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Tiny adapters, and pictures that are prompts by them. */
public final class ShownPictures {
  static final Path FOLDER = DiffusersCall.FIXTURES.resolve("ip_adapters");

  /** Those whose tokens differ from step to step, with what encodes pictures for them. */
  public static final Path TIMED = DiffusersCall.FIXTURES.resolve("timed_adapters");

  /** What pictures are added to, as pixels. */
  public static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(48, 48)
          .numInferenceSteps(2)
          .maxSequenceLength(20)
          .outputType(OutputType.PT)
          .build();

  private ShownPictures() {}

  /** The model in {@code directory} with adapters of these names. */
  public static ModelConfig with(Path directory, String... adapters) {
    return from(FOLDER, directory, adapters);
  }

  /** The same from another folder. */
  public static ModelConfig from(Path folder, Path directory, String... adapters) {
    return ModelConfig.builder(directory)
        .set(ModelConfig.IP_ADAPTER, Stream.of(adapters).map(name -> folder + "/" + name).toList())
        .build();
  }

  /** The same with an adapter in a file, and what lies beside it. */
  public static ModelConfig alone(Path directory, Path adapter) {
    return ModelConfig.builder(directory)
        .set(ModelConfig.IP_ADAPTER, List.of(adapter.toString()))
        .build();
  }

  /** Makes sure that {@code model} is not opened, or does not take {@code input}. */
  public static void refused(ModelConfig model, InputConfig input, String message) {
    assertThatThrownBy(
            () -> {
              try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
                pipeline.model().resolve(input);
              }
            })
        .isInstanceOfAny(ArgumentException.class, ModelException.class)
        .hasMessage(message);
  }

  /** {@code input} with pictures for its adapters. */
  public static InputConfig show(InputConfig input, String... files) {
    return show(FOLDER, input, files);
  }

  /** The same with those of {@code folder}. */
  public static InputConfig show(Path folder, InputConfig input, String... files) {
    return input.toBuilder()
        .set(InputConfig.IP_ADAPTER_IMAGE, pictures(folder, List.of(files)))
        .build();
  }

  static List<Picture> pictures(List<String> files) {
    return pictures(FOLDER, files);
  }

  static List<Picture> pictures(Path folder, List<String> files) {
    return files.stream().map(file -> Picture.of(folder.resolve(file))).toList();
  }

  /** What {@code call} asks for. */
  static InputConfig input(DiffusersCall call) {
    return input(FOLDER, call);
  }

  /** The same with pictures of {@code folder}. */
  static InputConfig input(Path folder, DiffusersCall call) {
    InputConfigBuilder input = ReferredPictures.input(folder, call).toBuilder();
    set(input, InputConfig.IP_ADAPTER_IMAGE, pictures(folder, texts(call, "shown")));
    set(input, InputConfig.NEGATIVE_IP_ADAPTER_IMAGE, pictures(folder, texts(call, "negatives")));
    return input.build();
  }

  private static void set(InputConfigBuilder input, Setting<?> setting, List<Picture> pictures) {
    if (!pictures.isEmpty()) {
      input.set(setting, pictures);
    }
  }

  /** The adapters of {@code call}, with their scales. */
  static String[] adapters(DiffusersCall call) {
    return texts(call, "adapters").toArray(String[]::new);
  }

  static List<String> texts(DiffusersCall call, String key) {
    List<String> texts = new ArrayList<>();
    call.json().get(key).forEach(one -> texts.add(one.asText()));
    return texts;
  }
}
