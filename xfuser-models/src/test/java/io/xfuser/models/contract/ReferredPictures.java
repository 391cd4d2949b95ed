package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.Picture;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What diffusers made of pictures that its pictures refer to, in {@code cases.json} of a folder.
 */
public final class ReferredPictures {
  private ReferredPictures() {}

  /** The folder {@code name} of references. */
  public static Path folder(String name) {
    return DiffusersCall.FIXTURES.resolve("reference").resolve(name);
  }

  private static JsonNode file(Path folder) throws IOException {
    return new ObjectMapper().readTree(folder.resolve("cases.json").toFile());
  }

  static List<DiffusersCall> calls(Path folder) throws IOException {
    JsonNode file = file(folder);
    long seed = file.get("seed").asLong();
    List<DiffusersCall> calls = new ArrayList<>();
    file.get("cases")
        .forEach(one -> calls.add(new DiffusersCall(one.get("pipeline").asText(), seed, one)));
    return calls;
  }

  /** Width and height of pictures, and those in which they are seen. */
  public static Stream<int[]> sizes(Path folder) throws IOException {
    return StreamSupport.stream(file(folder).get("sizes").spliterator(), false)
        .map(one -> Stream.of(0, 1, 2, 3).mapToInt(i -> one.get(i).asInt()).toArray());
  }

  static void requireEqual(Path folder, DiffusersCall call, EngineConfig engine) {
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine)) {
      requireEqual(folder, call, pipeline);
    }
  }

  /** The same of a pipeline that stays open. */
  static void requireEqual(Path folder, DiffusersCall call, DiffusionPipeline pipeline) {
    EngineConfig serial = EngineConfig.of(Path.of("none"));
    try (NDManager manager = Torch.newManager();
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, serial);
        Generation generation = ranks.generate(input(folder, call))) {
      assertThat(generation.tensor().getShape().getShape()).isEqualTo(call.shape());
      NDArray ours = call.strided(generation.tensor());
      assertThat(Pixels.largestDifference(ours, expected(manager, folder, call)))
          .isLessThanOrEqualTo(1e-3);
    }
  }

  /** What diffusers made of {@code call}, strided. */
  static NDArray expected(NDManager manager, Path folder, DiffusersCall call) {
    try (FileWeights pixels = FileWeights.openFile(folder.resolve("pixels.safetensors"), null)) {
      String name = call.json().get("name").asText();
      return pixels.get(manager, name, pixels.shape(name));
    }
  }

  static InputConfig input(Path folder, DiffusersCall call) {
    InputConfigBuilder builder = InputConfig.builder().outputType(OutputType.PT);
    List<Picture> images = new ArrayList<>();
    call.json().get("images").forEach(one -> images.add(Picture.of(folder.resolve(one.asText()))));
    if (!images.isEmpty()) {
      builder.images(images);
    }
    if (call.json().hasNonNull("mask")) {
      builder.maskImage(Picture.of(folder.resolve(call.json().get("mask").asText())));
    }
    List<Long> seeds = new ArrayList<>();
    call.json().get("seeds").forEach(one -> seeds.add(one.asLong()));
    return call.fill(seeds.isEmpty() ? builder.seed(call.seed()) : builder.seeds(seeds)).build();
  }
}
