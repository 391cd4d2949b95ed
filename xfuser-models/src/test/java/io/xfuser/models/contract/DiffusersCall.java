package io.xfuser.models.contract;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.torchscript.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * One call of a diffusers pipeline.
 *
 * @param pipeline the name of its directory
 * @param seed of its noise
 * @param json an entry of {@code cases.json}
 */
record DiffusersCall(String pipeline, long seed, JsonNode json) {
  ElementType type() {
    return ElementType.valueOf(json.get("dtype").asText().toUpperCase(Locale.ROOT));
  }

  String file() {
    return json.get("file").asText();
  }

  /** The shape of the whole result. */
  long[] shape() {
    return StreamSupport.stream(json.get("shape").spliterator(), false)
        .mapToLong(JsonNode::asLong)
        .toArray();
  }

  /** Of this many rows and columns the file has one. */
  int stride() {
    return json.get("pixels_stride").asInt();
  }

  /** Whether diffusers was called with this argument. */
  boolean has(String argument) {
    return json.get("call").has(argument);
  }

  /** What we are asked for in its place; arguments that were not given have no value here. */
  InputConfig input() {
    InputConfigBuilder builder = InputConfig.builder().seed(seed).outputType(OutputType.PT);
    for (Map.Entry<String, JsonNode> argument : json.get("call").properties()) {
      set(builder, argument.getKey(), argument.getValue());
    }
    return builder.build();
  }

  private static void set(InputConfigBuilder builder, String argument, JsonNode value) {
    switch (argument) {
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
      case "num_images_per_prompt" -> builder.numImagesPerPrompt(value.asInt());
      case "use_resolution_binning" -> builder.useResolutionBinning(value.asBoolean());
      case "clean_caption" -> builder.cleanCaption(value.asBoolean());
      default -> throw new IllegalArgumentException("no flag stands for " + argument);
    }
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
