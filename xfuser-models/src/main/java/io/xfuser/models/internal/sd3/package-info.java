/** Stable Diffusion 3 and 3.5 (arXiv 2403.03206). */
@NullMarked
package io.xfuser.models.internal.sd3;

import org.jspecify.annotations.NullMarked;
