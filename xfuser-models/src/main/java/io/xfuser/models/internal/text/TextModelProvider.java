package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Share;
import java.util.Set;

/**
 * Opens the text encoders of some of transformers' classes. Another one is added by a class with a
 * public constructor without parameters that implements this, named in {@code
 * META-INF/services/io.xfuser.models.internal.text.TextModelProvider}: every pipeline that needs no
 * more than its {@link #abilities} then takes it.
 */
public interface TextModelProvider {
  /** The classes, as {@code model_index.json} names them. */
  Set<String> classNames();

  /** What may be asked of them. */
  Set<Ability> abilities();

  /**
   * Opens an encoder.
   *
   * @param share what of it; all, where {@link Ability#SHARES} is not among the abilities
   * @throws ModelException if the configuration is not supported, or the weights do not fit it
   */
  TextModel open(EncoderFolder folder, Share share);

  /**
   * What the {@code config.json} of an encoder says of its sizes.
   *
   * @throws ModelException if it is not supported
   */
  TextSizes sizes(ComponentConfig config);

  /** What an encoder may be asked. */
  enum Ability {
    /** {@link TextModel#states}. */
    STATES,
    /** A mask over padding, {@link TextInput#mask}. */
    MASK,
    /** {@link TextModel#layer}. */
    LAYERS,
    /** {@link TextModel#inner}. */
    INNER,
    /** Pictures among the tokens of {@link TextModel#inner}, {@link TextInput#pictures}. */
    PICTURES,
    /** {@link TextModel#pooled}, where transformers' class gives a {@code pooler_output}. */
    POOLED,
    /** The same, where transformers' class gives {@code text_embeds}. */
    PROJECTED,
    /** To be loaded in shares, which encode together: {@link TextInput#context}. */
    SHARES
  }
}
