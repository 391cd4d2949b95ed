package io.xfuser.models.internal.text;

import io.xfuser.weights.Share;
import java.util.Set;

/** Some classes of transformers' text encoders. */
abstract class TextModelClass implements TextModelProvider {
  private final Set<String> classNames;
  private final Set<Ability> abilities;
  private final Opener opener;

  TextModelClass(Set<String> classNames, Set<Ability> abilities, Opener opener) {
    this.classNames = classNames;
    this.abilities = abilities;
    this.opener = opener;
  }

  /** An encoder of a folder. */
  interface Opener {
    TextModel open(EncoderFolder folder, Share share);
  }

  @Override
  public final Set<String> classNames() {
    return classNames;
  }

  @Override
  public final Set<Ability> abilities() {
    return abilities;
  }

  @Override
  public final TextModel open(EncoderFolder folder, Share share) {
    return opener.open(folder, share);
  }
}
