/** Flux.1 (Black Forest Labs, 2024): schnell and dev. */
@NullMarked
package io.xfuser.models.internal.flux;

import org.jspecify.annotations.NullMarked;
