package io.xfuser.models.contract;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.Picture;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A call of a diffusers pipeline with a given picture, made by
 * scripts/fixtures/source_reference.py.
 *
 * @param folder where the picture is that was made of it
 * @param seed of its noise
 * @param json an entry of {@code cases.json}
 */
record SourceCall(Path folder, long seed, JsonNode json) {
  static final Path FOLDER = DiffusersCall.FIXTURES.resolve("reference/sources");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String FILE = "transformer/diffusion_pytorch_model.safetensors";

  static List<SourceCall> all() throws IOException {
    List<SourceCall> calls = new ArrayList<>();
    for (Path folder : List.of(FOLDER, FOLDER.resolveSibling("later_sources"))) {
      JsonNode file = JSON.readTree(folder.resolve("cases.json").toFile());
      long seed = file.get("seed").asLong();
      file.get("cases").forEach(one -> calls.add(new SourceCall(folder, seed, one)));
    }
    return calls;
  }

  static SourceCall named(String name) throws IOException {
    return all().stream().filter(call -> call.name().equals(name)).findFirst().orElseThrow();
  }

  String name() {
    return json.get("name").asText();
  }

  String pipeline() {
    return json.get("pipeline").asText();
  }

  String className() {
    return json.get("class").asText();
  }

  boolean cropped() {
    return json.get("call").has("padding_mask_crop");
  }

  private DiffusersCall call() {
    return new DiffusersCall(pipeline(), seed, json);
  }

  /** What we are asked for. */
  InputConfig input() {
    InputConfigBuilder builder =
        InputConfig.builder()
            .outputType(cropped() ? OutputType.PIL : OutputType.PT)
            .image(Picture.of(FOLDER.resolve(json.get("image").asText())));
    if (!json.get("mask").isNull()) {
      builder.maskImage(Picture.of(FOLDER.resolve(json.get("mask").asText())));
    }
    List<Long> seeds = new ArrayList<>();
    json.get("seeds").forEach(one -> seeds.add(one.asLong()));
    return call().fill(seeds.isEmpty() ? builder.seed(seed) : builder.seeds(seeds)).build();
  }

  NDArray strided(NDArray whole) {
    return call().strided(whole);
  }

  long[] shape() {
    return call().shape();
  }

  double cost() {
    return call().cost();
  }

  ElementType type() {
    return call().type();
  }

  NDArray reference(NDManager manager) {
    return pixels(manager, name());
  }

  /** What diffusers made in fp32 of the noise of a half type. */
  NDArray exact(NDManager manager) {
    return pixels(manager, name() + "_float32");
  }

  private NDArray pixels(NDManager manager, String name) {
    try (FileWeights pixels = FileWeights.openFile(folder.resolve("pixels.safetensors"), null)) {
      NDArray all = pixels.get(manager, name, pixels.shape(name));
      return Torch.cast(manager, all, ElementType.FLOAT32);
    }
  }

  /** The pipeline's directory; of the Fill transformer it is made in the empty {@code scratch}. */
  Path directory(Path scratch) throws IOException {
    boolean fill = className().equals("FluxFillPipeline");
    return fill ? fill(call().directory(), scratch) : call().directory();
  }

  /** A copy of {@code plain} in the empty {@code scratch}, whose transformer sees a mask. */
  static Path fill(Path plain, Path scratch) throws IOException {
    Path copy = DirectoryCopy.of(plain, scratch).directory();
    edit(copy.resolve("model_index.json"), index -> index.put("_class_name", "FluxFillPipeline"));
    edit(
        copy.resolve("transformer/config.json"),
        config -> config.put("out_channels", 64).put("in_channels", 384));
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    try (NDManager owner = Torch.newManager()) {
      for (Path file : List.of(copy.resolve(FILE), FOLDER.resolve("fill.safetensors"))) {
        try (FileWeights weights = FileWeights.openFile(file, null)) {
          weights
              .names()
              .forEach(name -> tensors.put(name, weights.get(owner, name, weights.shape(name))));
        }
      }
      Path written = copy.resolve("transformer/wider.safetensors");
      SafeTensorsWriter.write(written, tensors);
      Files.move(written, copy.resolve(FILE), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
    return copy;
  }

  private interface Edit {
    void of(ObjectNode json);
  }

  private static void edit(Path file, Edit edit) throws IOException {
    ObjectNode json = (ObjectNode) JSON.readTree(file.toFile());
    edit.of(json);
    JSON.writeValue(file.toFile(), json);
  }

  @Override
  public String toString() {
    return name();
  }
}
