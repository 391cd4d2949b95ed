/** From a request to pictures: text, denoising loops, guidance, decoding. */
@NullMarked
package io.xfuser.pipeline;

import org.jspecify.annotations.NullMarked;
