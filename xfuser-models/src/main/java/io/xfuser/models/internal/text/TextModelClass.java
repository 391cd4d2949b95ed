package io.xfuser.models.internal.text;

import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Share;
import java.util.Set;
import java.util.function.Function;

/** Some classes of transformers' text encoders. */
abstract class TextModelClass implements TextModelProvider {
  private final Set<String> classNames;
  private final Set<Ability> abilities;
  private final Opener opener;
  private final Function<ComponentConfig, TextSizes> sizes;

  TextModelClass(
      Set<String> classNames,
      Set<Ability> abilities,
      Opener opener,
      Function<ComponentConfig, TextSizes> sizes) {
    this.classNames = classNames;
    this.abilities = abilities;
    this.opener = opener;
    this.sizes = sizes;
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

  @Override
  public final TextSizes sizes(ComponentConfig config) {
    return sizes.apply(config);
  }
}
