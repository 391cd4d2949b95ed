/** The settings and the names of weights in diffusers directories. */
@NullMarked
package io.xfuser.weights;

import org.jspecify.annotations.NullMarked;
