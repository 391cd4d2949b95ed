package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;

/**
 * What a text encoder says of B texts of T tokens, in the run's element type.
 *
 * @param pooled each text as a whole, (B, P): {@code pooler_output} or {@code text_embeds} of
 *     transformers
 * @param hidden the hidden state asked for, (B, T, C)
 */
public record TextOutput(NDArray pooled, NDArray hidden) {}
