package io.xfuser.models.internal.text;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Classes of transformers' tokenizers, each with "Fast" or without. */
abstract class TokenizerClass implements TokenizerProvider {
  private static final String FAST = "Fast";

  private final Set<String> classNames = new HashSet<>();
  private final Set<String> encoders;
  private final List<String> files;
  private final Opener opener;

  /**
   * Those of a vocabulary.
   *
   * @param names without "Fast"
   * @param encoders the classes of the text encoders that take their ids
   * @param files what is there unless there is a {@code tokenizer.json}
   */
  TokenizerClass(Set<String> names, Set<String> encoders, List<String> files, Opener opener) {
    for (String name : names) {
      classNames.add(name);
      classNames.add(name + FAST);
    }
    this.encoders = encoders;
    this.files = files;
    this.opener = opener;
  }

  /** A tokenizer in a directory; fast: as its {@code tokenizer.json} describes it. */
  interface Opener {
    Tokenizer open(Path directory, boolean fast);
  }

  @Override
  public final Set<String> classNames() {
    return classNames;
  }

  @Override
  public final Set<String> encoders() {
    return encoders;
  }

  @Override
  public final void check(Path directory, String className) {
    TokenizerFiles.requireVocabulary(directory, files);
    SubwordTokenizer.checkSides(directory, TokenizerFiles.settings(directory));
  }

  @Override
  public final Tokenizer open(Path directory, String className) {
    return opener.open(directory, className.endsWith(FAST));
  }
}
