/** One rank's way through a request: text, noise, denoising, decoding. */
@NullMarked
package io.xfuser.internal.runtime;

import org.jspecify.annotations.NullMarked;
