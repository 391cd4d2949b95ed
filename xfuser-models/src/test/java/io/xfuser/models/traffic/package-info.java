/** Counts of kernels and of what they move on a GPU, for each model. */
@NullMarked
package io.xfuser.models.traffic;

import org.jspecify.annotations.NullMarked;
