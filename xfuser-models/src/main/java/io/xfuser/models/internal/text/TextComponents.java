package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.weights.Share;
import java.util.HashSet;
import java.util.Set;

/** The tokenizers and text encoders of a pipeline, before any of them is loaded. */
public final class TextComponents {
  /** The classes of T5's encoders; mT5's differs in what its settings leave out. */
  public static final Set<String> T5_ENCODERS = Set.of("T5EncoderModel", "MT5EncoderModel");

  /** The classes of T5's tokenizers. */
  public static final Set<String> T5_TOKENIZERS =
      Set.of("T5Tokenizer", "T5TokenizerFast", "MT5Tokenizer", "MT5TokenizerFast");

  /** The classes of CLIP's tokenizers. */
  public static final Set<String> CLIP_TOKENIZERS = Set.of("CLIPTokenizer", "CLIPTokenizerFast");

  private static final String ENCODER = "text_encoder";
  private static final String TOKENIZER = "tokenizer";

  private TextComponents() {}

  /** {@code classes} of a component that a pipeline may lack. */
  public static Set<String> orAbsent(Set<String> classes) {
    Set<String> all = new HashSet<>(classes);
    all.add(PipelineComponents.ABSENT);
    return all;
  }

  /**
   * Makes sure that component {@code name} can be opened: that its settings are supported, its
   * files are there, and those of weights promise every tensor in the shape that is needed. No
   * weights and no vocabulary are read.
   *
   * @throws ModelException as when it is opened, naming the file
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
        throw new ModelException(
            "%s: there is a %s, but no %s".formatted(components.index().origin(), name, tokenizer));
      }
      open(EncoderFolder.of(components, name).onTrial(), components.className(name)).close();
    }
  }

  /** Whether component {@code name} is a text encoder that can be loaded in shares. */
  public static boolean isShareable(PipelineComponents components, String name) {
    return name.startsWith(ENCODER)
        && components.has(name)
        && T5_ENCODERS.contains(components.className(name));
  }

  private static TextModel open(EncoderFolder folder, String className) {
    return switch (className) {
      case "CLIPTextModel" -> ClipTextEncoder.open(folder);
      case "CLIPTextModelWithProjection" -> ClipTextEncoder.openWithProjection(folder);
      case "BertModel" -> BertEncoder.open(folder);
      case "T5EncoderModel", "MT5EncoderModel" -> T5Encoder.opening(Share.WHOLE).open(folder);
      default ->
          throw new ModelException(
              "%s: the text encoder class %s is not supported"
                  .formatted(folder.config().origin(), className));
    };
  }
}
