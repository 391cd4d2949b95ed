/** Weights as diffusers and transformers save them, cut to what a rank needs of them. */
@NullMarked
package io.xfuser.models.internal.weights;

import org.jspecify.annotations.NullMarked;
