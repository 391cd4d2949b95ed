package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ArgumentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Writes a model's directory: its public configuration, and random weights in files named and cut
 * as the published ones.
 */
@Command(name = "write", description = "Writes the directory, unless it is there.")
final class Write implements Callable<Integer> {
  private static final JsonMapper JSON = new JsonMapper();

  /** The directory is complete where it has this. */
  private static final String INDEX = "model_index.json";

  @Option(names = "--folder", required = true)
  private Path folder = Path.of("");

  @Option(names = "--model", required = true, description = "as the script names it")
  private String model = "";

  @Option(names = "--tokenizer", description = "KIND=FOLDER: of t5, clip_l and clip_g")
  private Map<String, Path> tokenizers = Map.of();

  @Option(names = "--no_t5", description = "of sd3_medium only the CLIP encoders")
  private boolean withoutT5;

  @Option(names = "--layers", description = "of text encoders and transformer; all if not given")
  private @Nullable Integer layers;

  @Option(names = "--text_layers", description = "of text encoders, in the place of --layers")
  private @Nullable Integer textLayers;

  @Option(names = "--narrow", description = "few heads and channels, to try the script")
  private boolean narrow;

  @Override
  public Integer call() throws IOException {
    if (Files.exists(folder.resolve(INDEX))) {
      return 0;
    }
    RealModel real = RealModel.of(model);
    real = withoutT5 ? real.withoutT5() : real;
    real = layers == null ? real : real.withLayers(layers);
    Integer ofText = textLayers == null ? layers : textLayers;
    real = ofText == null ? real : real.withTextLayers(ofText);
    real = narrow ? real.narrowed() : real;
    for (Map.Entry<String, JsonNode> file : real.files().properties()) {
      if (!file.getKey().equals(INDEX)) {
        write(file.getKey(), file.getValue());
      }
    }
    for (Map.Entry<String, String> tokenizer : real.tokenizers().entrySet()) {
      copyTokenizer(tokenizer.getValue(), folder.resolve(tokenizer.getKey()));
    }
    for (RealModel.Part part : real.parts()) {
      weights(part, real.tensors(part));
    }
    write(INDEX, real.files().get(INDEX));
    return 0;
  }

  private void write(String file, JsonNode settings) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(Objects.requireNonNull(path.getParent()));
    JSON.writeValue(path.toFile(), settings);
  }

  private void copyTokenizer(String kind, Path target) throws IOException {
    Path source = tokenizers.get(kind);
    if (source == null) {
      throw new ArgumentException(model + " needs --tokenizer " + kind + "=FOLDER");
    }
    Files.createDirectories(target);
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private void weights(RealModel.Part part, List<RandomTensor> tensors) throws IOException {
    double bytes = RandomShards.bytes(part.type(), tensors);
    System.err.printf("real_size: writing %s, %.2f GB ...%n", part.folder(), bytes / 1e9);
    Path file = folder.resolve(part.path());
    if (part.single()) {
      RandomShards.writeOne(file, part.type(), tensors);
    } else {
      Path name = Objects.requireNonNull(file.getFileName());
      RandomShards.write(file.resolveSibling(""), name.toString(), part.type(), tensors);
    }
  }
}
