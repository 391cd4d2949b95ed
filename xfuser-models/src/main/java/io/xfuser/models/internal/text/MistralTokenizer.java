package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.failure.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer of Mistral's models that see pictures, byte pairs of any text: transformers' {@code
 * PixtralProcessor}, asked for texts that begin with the token that marks a start. It pads on the
 * left, unless its settings say otherwise.
 *
 * <p>Safe for use by several threads.
 */
public final class MistralTokenizer extends SubwordTokenizer {
  private static final String PADDING_SIDE = "padding_side";
  private static final String FILE = "tokenizer.json";
  private static final SpecialTokens SPECIAL =
      new SpecialTokens(Map.of("pad", "<pad>"), List.of(), List.of());

  private final boolean padsLeft;

  private MistralTokenizer(Path directory, JsonNode settings, boolean padsLeft) {
    super(
        new Definition(directory, settings, SPECIAL),
        () -> TokenizerJsonSubwords.open(directory.resolve(FILE)));
    this.padsLeft = padsLeft;
  }

  @Override
  public boolean padsLeft() {
    return padsLeft;
  }

  /** Opens {@code tokenizer.json}. */
  public static final class Provider implements TokenizerProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("PixtralProcessor");
    }

    @Override
    public Set<String> encoders() {
      return Set.of("Mistral3ForConditionalGeneration");
    }

    @Override
    public void check(Path directory, String className) {
      if (!Files.exists(directory.resolve(FILE))) {
        throw new ModelException(directory + " has no " + FILE);
      }
      SubwordTokenizer.checkSides(directory, settings(directory).without(PADDING_SIDE));
    }

    @Override
    public Tokenizer open(Path directory, String className) {
      ObjectNode settings = settings(directory);
      boolean left = !settings.path(PADDING_SIDE).asText("left").equals("right");
      return new MistralTokenizer(directory, settings.without(PADDING_SIDE), left);
    }

    private static ObjectNode settings(Path directory) {
      return (ObjectNode) TokenizerFiles.settings(directory);
    }
  }
}
