package io.xfuser.models.text;

import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.weights.Share;

/** The tokenizers and text encoders of a pipeline, before any of them is loaded. */
public final class TextComponents {
  private static final String ENCODER = "text_encoder";
  private static final String TOKENIZER = "tokenizer";

  private TextComponents() {}

  /**
   * Makes sure that component {@code name} can be opened: that its settings are supported, its
   * files are there, and those of weights promise every tensor in the shape that is needed. No
   * weights and no vocabulary are read.
   *
   * @throws IllegalArgumentException as when it is opened, naming the file
   */
  public static void check(PipelineComponents components, String name) {
    if (!components.has(name)) {
      return;
    }
    if (name.startsWith(TOKENIZER)) {
      Tokenizers.check(components.folder(name), components.className(name));
    } else if (name.startsWith(ENCODER)) {
      String tokenizer = TOKENIZER + name.substring(ENCODER.length());
      if (!components.has(tokenizer)) {
        throw new IllegalArgumentException(
            "%s: there is a %s, but no %s".formatted(components.index().origin(), name, tokenizer));
      }
      open(EncoderFolder.of(components, name).onTrial(), components.className(name)).close();
    }
  }

  private static TextModel open(EncoderFolder folder, String className) {
    return switch (className) {
      case "CLIPTextModel" -> ClipTextEncoder.open(folder);
      case "CLIPTextModelWithProjection" -> ClipTextEncoder.openWithProjection(folder);
      case "BertModel" -> BertEncoder.open(folder);
      case "T5EncoderModel", "MT5EncoderModel" -> T5Encoder.opening(Share.WHOLE).open(folder);
      default ->
          throw new IllegalArgumentException(
              "%s: the text encoder class %s is not supported"
                  .formatted(folder.directory(), className));
    };
  }
}
