/** PixArt-α (arXiv 2310.00426) and PixArt-Σ (arXiv 2403.04692). */
@NullMarked
package io.xfuser.models.internal.pixart;

import org.jspecify.annotations.NullMarked;
