/** Weights of diffusers directories: memory-mapped, lazy, checked. */
@NullMarked
package io.xfuser.weights;

import org.jspecify.annotations.NullMarked;
