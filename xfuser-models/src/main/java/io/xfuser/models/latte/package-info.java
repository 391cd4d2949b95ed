/** Latte (arXiv 2401.03048): videos. */
@NullMarked
package io.xfuser.models.latte;

import org.jspecify.annotations.NullMarked;
