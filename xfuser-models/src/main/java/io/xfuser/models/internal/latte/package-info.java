/** Latte (arXiv 2401.03048): videos. */
@NullMarked
package io.xfuser.models.internal.latte;

import org.jspecify.annotations.NullMarked;
