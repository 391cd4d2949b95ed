package io.xfuser.models.contract;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Picture;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Tiny adapters, and pictures that are prompts by them. */
public final class ShownPictures {
  static final Path FOLDER = DiffusersCall.FIXTURES.resolve("ip_adapters");

  private ShownPictures() {}

  /** The model in {@code directory} with adapters of these names. */
  public static ModelConfig with(Path directory, String... adapters) {
    return ModelConfig.builder(directory)
        .set(ModelConfig.IP_ADAPTER, Stream.of(adapters).map(name -> FOLDER + "/" + name).toList())
        .build();
  }

  /** {@code input} with pictures for its adapters. */
  public static InputConfig show(InputConfig input, String... files) {
    return input.toBuilder().set(InputConfig.IP_ADAPTER_IMAGE, pictures(List.of(files))).build();
  }

  static List<Picture> pictures(List<String> files) {
    return files.stream().map(file -> Picture.of(FOLDER.resolve(file))).toList();
  }
}
