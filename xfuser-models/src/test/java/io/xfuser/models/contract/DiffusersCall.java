package io.xfuser.models.contract;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;

/**
 * One call of a diffusers pipeline.
 *
 * @param pipeline the name of its directory
 * @param seed of its noise
 * @param json an entry of {@code cases.json}
 */
record DiffusersCall(String pipeline, long seed, JsonNode json) {
  static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  /** The calls of {@code pipeline} whose pictures are recorded. */
  static List<DiffusersCall> of(String pipeline) throws IOException {
    Path file = FIXTURES.resolve("reference").resolve(pipeline).resolve("cases.json");
    JsonNode json = new ObjectMapper().readTree(file.toFile());
    long seed = json.get("seed").asLong();
    List<DiffusersCall> calls = new ArrayList<>();
    json.get("cases").forEach(one -> calls.add(new DiffusersCall(pipeline, seed, one)));
    return calls;
  }

  /** The pipeline's directory. */
  Path directory() {
    return FIXTURES.resolve(pipeline);
  }

  /** Of our whole pixels, those that the file has. */
  NDArray strided(NDArray whole) {
    int stride = json.get("pixels_stride").asInt();
    return whole.get("..., ::{}, ::{}", stride, stride);
  }

  /** What diffusers made, in fp32: {@code pixels}, or {@code pixels_float32} of a half type. */
  NDArray reference(NDManager manager, String name) {
    Path file = FIXTURES.resolve("reference").resolve(pipeline).resolve(json.get("file").asText());
    try (FileWeights tensors = FileWeights.openFile(file, null)) {
      NDArray all = tensors.get(manager, name, tensors.shape(name));
      return Torch.cast(manager, all, ElementType.FLOAT32);
    }
  }

  ElementType type() {
    return ElementType.valueOf(json.path("dtype").asText("float32").toUpperCase(Locale.ROOT));
  }

  /** The shape of the whole result. */
  long[] shape() {
    return StreamSupport.stream(json.get("shape").spliterator(), false)
        .mapToLong(JsonNode::asLong)
        .toArray();
  }

  /** Rows by columns of a picture, or of the bin that it is drawn in. */
  long pixels() {
    long[] shape = shape();
    boolean binned = json.get("call").path("use_resolution_binning").asBoolean();
    long side = binned ? 8L * transformer().path("sample_size").asLong() : 0; // of most bins
    return Math.max(side * side, shape[shape.length - 2] * shape[shape.length - 1]);
  }

  private JsonNode transformer() {
    try {
      return new ObjectMapper().readTree(directory().resolve("transformer/config.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How long it takes, about: opening and ends, and steps by what is drawn. */
  double cost() {
    long all = LongStream.of(shape()).reduce(1, (x, y) -> x * y);
    return 20_000 + all * json.get("call").path("num_inference_steps").asDouble(28);
  }

  /** What we are asked for in its place; arguments that were not given have no value here. */
  InputConfig input() {
    InputConfigBuilder builder = InputConfig.builder().seed(seed).outputType(OutputType.PT);
    return fill(builder).build();
  }

  /** {@code builder} with the call's arguments. */
  InputConfigBuilder fill(InputConfigBuilder builder) {
    for (Map.Entry<String, JsonNode> argument : json.get("call").properties()) {
      if (!argument.getValue().isNull()) { // None is what is not given
        set(builder, argument.getKey(), argument.getValue());
      }
    }
    return builder;
  }

  private void set(InputConfigBuilder builder, String argument, JsonNode value) {
    switch (argument) {
      case "image" -> builder.image(picture(value));
      case "last_image" -> builder.set(InputConfig.LAST_IMAGE, picture(value));
      case "prompt" -> builder.prompts(texts(value));
      case "negative_prompt" -> builder.negativePrompts(texts(value));
      case "class_labels" -> builder.classLabels(numbers(value));
      case "height" -> builder.height(value.asInt());
      case "width" -> builder.width(value.asInt());
      case "video_length" -> builder.numFrames(value.asInt());
      case "num_inference_steps" -> builder.numInferenceSteps(value.asInt());
      case "guidance_scale" -> builder.guidanceScale(value.asDouble());
      case "guidance_rescale" -> builder.guidanceRescale(value.asDouble());
      case "true_cfg_scale" -> builder.trueCfgScale(value.asDouble());
      case "eta" -> builder.eta(value.asDouble());
      case "max_sequence_length" -> builder.maxSequenceLength(value.asInt());
      case "num_images_per_prompt", "num_videos_per_prompt" ->
          builder.numImagesPerPrompt(value.asInt());
      case "strength" -> builder.strength(value.asDouble());
      case "padding_mask_crop" -> builder.paddingMaskCrop(value.asInt());
      case "max_area" -> builder.maxArea(value.asInt());
      case "_auto_resize" -> builder.autoResize(value.asBoolean());
      case "use_resolution_binning" -> builder.useResolutionBinning(value.asBoolean());
      case "clean_caption" -> builder.cleanCaption(value.asBoolean());
      default -> builder.set(setting(argument), value(value));
    }
  }

  /** A file beside the calls. */
  private Picture picture(JsonNode name) {
    return Picture.of(FIXTURES.resolve("reference").resolve(pipeline).resolve(name.asText()));
  }

  /** The setting of the argument's name. */
  private static Setting<?> setting(String argument) {
    return InputConfig.SETTINGS.stream()
        .filter(setting -> setting.name().equals(argument))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no flag stands for " + argument));
  }

  private static Object value(JsonNode json) {
    if (json.isArray()) {
      return json.valueStream().map(DiffusersCall::value).toList();
    }
    return json.isNumber()
        ? json.numberValue()
        : json.isBoolean() ? json.asBoolean() : json.asText();
  }

  private static List<String> texts(JsonNode value) {
    if (value.isTextual()) {
      return List.of(value.asText());
    }
    List<String> texts = new ArrayList<>();
    value.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  private static List<Integer> numbers(JsonNode value) {
    List<Integer> numbers = new ArrayList<>();
    value.forEach(number -> numbers.add(number.asInt()));
    return numbers;
  }

  @Override
  public String toString() {
    return pipeline + " " + json.get("name").asText();
  }
}
