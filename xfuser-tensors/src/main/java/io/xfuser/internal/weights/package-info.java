/** Files of weights: their names, and how they are written. */
@NullMarked
package io.xfuser.internal.weights;

import org.jspecify.annotations.NullMarked;
