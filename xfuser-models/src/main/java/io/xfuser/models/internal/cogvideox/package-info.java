/** CogVideoX (arXiv 2408.06072). */
@NullMarked
package io.xfuser.models.internal.cogvideox;

import org.jspecify.annotations.NullMarked;
