package io.xfuser.models.internal.text;

import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.registry.Registry;
import io.xfuser.internal.weights.ReadBytes;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** The tokenizers and text encoders of a pipeline, before any of them is loaded. */
public final class TextComponents {
  /** What the names of text encoders begin with. */
  public static final String ENCODER = "text_encoder";

  /** What the names of tokenizers begin with; what follows is as in the encoder's. */
  public static final String TOKENIZER = "tokenizer";

  private TextComponents() {}

  /** The classes of the text encoders that have {@code abilities}, by transformers' names. */
  public static Set<String> encoders(Set<Ability> abilities) {
    return all().classNames(provider -> provider.abilities().containsAll(abilities));
  }

  /** Checks all of {@code names}; bytes of the weights that they promise. */
  public static long check(PipelineComponents components, Set<String> names) {
    AtomicLong sum = new AtomicLong();
    ReadBytes.told(
        sum::set,
        () -> {
          names.forEach(name -> check(components, name));
          return true;
        });
    return sum.get();
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
      open(components, name, EncoderFolder.of(components, name).onTrial(), Share.WHOLE).close();
    }
  }

  /** Whether component {@code name} is a text encoder that can be loaded in shares. */
  public static boolean isShareable(PipelineComponents components, String name) {
    return isEncoder(components, name)
        && provider(components, name).abilities().contains(Ability.SHARES);
  }

  /** Whether component {@code name} is a text encoder, and there. */
  public static boolean isEncoder(PipelineComponents components, String name) {
    return name.startsWith(ENCODER) && components.has(name);
  }

  /** The shapes of a text encoder's tensors, by the names by which it reads them. */
  public static Map<String, long[]> shapes(PipelineComponents components, String name) {
    Map<String, long[]> shapes = new HashMap<>();
    ComponentWeights.Decorator look =
        (weights, source, placement) -> {
          shapes.putAll(source.shapes());
          return weights;
        };
    open(components, name, EncoderFolder.of(components, name).onTrial(look), Share.WHOLE).close();
    return shapes;
  }

  static TextModel open(PipelineComponents components, String name, Share share) {
    return open(components, name, EncoderFolder.of(components, name), share);
  }

  private static TextModel open(
      PipelineComponents components, String name, EncoderFolder folder, Share share) {
    return provider(components, name).open(folder, share);
  }

  /** What the settings of component {@code name} say of its sizes. */
  static TextSizes sizes(PipelineComponents components, String name) {
    return provider(components, name).sizes(components.config(name, EncoderFolder.CONFIG));
  }

  /**
   * Refuses hidden states that text encoder {@code name} does not have.
   *
   * @param setting asks for them
   * @param states their numbers; negative ones count from the end
   * @throws ArgumentException naming the setting and how many there are
   */
  public static void requireStates(
      PipelineComponents components, String name, Setting<?> setting, List<Integer> states) {
    int layers = components.has(name) ? sizes(components, name).layers() : 0;
    for (int state : states) {
      if (layers > 0 && (state > layers || state < -layers - 1)) {
        throw new ArgumentException(
            "%s asks %s for hidden state %d, but it has %d layers"
                .formatted(setting, name, state, layers));
      }
    }
  }

  private static TextModelProvider provider(PipelineComponents components, String name) {
    return all().require(components.className(name), components.index().origin() + ": " + name);
  }

  private static Registry<TextModelProvider> all() {
    return Registry.of(TextModelProvider.class, TextModelProvider::classNames);
  }
}
