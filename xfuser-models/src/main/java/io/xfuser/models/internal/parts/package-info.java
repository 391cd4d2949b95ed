/** Parts that several transformers have: embeddings of tokens and positions, the modulated head. */
@NullMarked
package io.xfuser.models.internal.parts;

import org.jspecify.annotations.NullMarked;
