package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;

/**
 * What CLIP's text encoder says of B texts of T tokens, in the run's element type.
 *
 * @param pooled the state at the end of each text, (B, C), or, with a projection, its projection
 *     (B, P): {@code pooler_output} or {@code text_embeds} of transformers
 * @param hidden the hidden state asked for, (B, T, C)
 */
public record ClipOutput(NDArray pooled, NDArray hidden) {}
