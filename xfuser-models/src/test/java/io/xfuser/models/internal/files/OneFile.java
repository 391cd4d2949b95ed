package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Components of the tiny pipelines as the files that people have: by the tables of {@code
 * single_files.json}, which diffusers' converters undo.
 */
public final class OneFile {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  private final NDManager manager;
  private final Map<String, NDArray> tensors = new LinkedHashMap<>();

  public OneFile(NDManager manager) {
    this.manager = manager;
  }

  public static Path directory(String pipeline) {
    return FIXTURES.resolve(pipeline);
  }

  /** Adds what {@code folder} has by the names of {@code table}, after {@code prefix}. */
  public OneFile add(Path folder, String table, String prefix) {
    Map<String, NDArray> theirs = read(folder);
    for (Map.Entry<String, JsonNode> entry : json().path(table).properties()) {
      List<NDArray> parts = new ArrayList<>();
      for (JsonNode part : entry.getValue()) {
        NDArray whole = Objects.requireNonNull(theirs.get(part.get(0).asText()));
        parts.add(Torch.slice(manager, whole, 0, part.get(1).asLong(), part.get(2).asLong()));
      }
      NDArray stacked = Torch.concat(manager, parts, 0);
      long[] shape = stacked.getShape().getShape();
      boolean kernel =
          shape.length == 2 && entry.getKey().matches(".*attn_1\\.(q|k|v|proj_out)\\.weight");
      NDArray tensor = kernel ? Torch.view(manager, stacked, shape[0], shape[1], 1, 1) : stacked;
      tensors.put(prefix + entry.getKey(), Torch.contiguous(manager, tensor));
    }
    return this;
  }

  /** Adds what {@code folder} has by its own names, after {@code prefix}. */
  public OneFile add(Path folder, String prefix) {
    read(folder).forEach((name, tensor) -> tensors.put(prefix + name, tensor));
    return this;
  }

  public Map<String, NDArray> tensors() {
    return tensors;
  }

  public Path write(Path file) throws IOException {
    SafeTensorsWriter.write(file, tensors);
    return file;
  }

  private Map<String, NDArray> read(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      Path file =
          files.filter(path -> path.toString().endsWith(".safetensors")).findFirst().orElseThrow();
      Map<String, NDArray> all = new LinkedHashMap<>();
      try (FileWeights weights = FileWeights.openFile(file, null)) {
        for (String name : weights.names()) {
          all.put(name, weights.get(manager, name, weights.shape(name)));
        }
      }
      return all;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode json() {
    try {
      return new ObjectMapper().readTree(FIXTURES.resolve("formats/single_files.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The transformer of {@code directory} as a file {@code name}, by the names of {@code table}. */
  public static ModelConfig.Builder alone(Path directory, String table, Path name)
      throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      return beside(
          new OneFile(manager).add(directory.resolve("transformer"), table, "").write(name),
          directory);
    }
  }

  /** The model in {@code file} with the other components of {@code directory}. */
  public static ModelConfig.Builder beside(Path file, Path directory) {
    ModelConfig.Builder model = ModelConfig.builder(file);
    ModelConfig.PARTS.stream()
        .map(part -> part.name())
        .filter(name -> Files.isDirectory(directory.resolve(name)))
        .forEach(name -> model.part(name, directory.resolve(name)));
    return model;
  }

  /** The only component of {@code file}. */
  static Found only(Path file) {
    List<Found> found = Checkpoint.read(file).components();
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  /** Requires one component in both files, with the same names and settings. */
  static void requireAlike(Path one, Path other) {
    Found expected = only(one);
    Found found = only(other);
    assertThat(found.format().title()).isEqualTo(expected.format().title());
    assertThat(found.tensors().names()).isEqualTo(expected.tensors().names());
    assertThat(found.format().config(found.tensors()))
        .isEqualTo(expected.format().config(expected.tensors()));
  }

  /** What a model of files draws on one rank, in two steps of few text tokens. */
  static Generation draw(ModelConfig model, InputConfigBuilder asked) {
    return drawWhole(model, asked.maxSequenceLength(20));
  }

  /** The same with all text tokens. */
  static Generation drawWhole(ModelConfig model, InputConfigBuilder asked) {
    InputConfig input = asked.numInferenceSteps(2).outputType(OutputType.PT).build();
    EngineConfig engine = EngineConfig.builder(model).runtime(r -> r.threads(1)).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      return ranks.generate(input);
    }
  }
}
