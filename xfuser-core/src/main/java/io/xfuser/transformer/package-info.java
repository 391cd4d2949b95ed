/** What a diffusion transformer is to the pipeline: an embedding, blocks and a head. */
@NullMarked
package io.xfuser.transformer;

import org.jspecify.annotations.NullMarked;
