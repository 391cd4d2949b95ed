/** Flux.2 (Black Forest Labs, 2025): dev and klein. */
@NullMarked
package io.xfuser.models.internal.flux2;

import org.jspecify.annotations.NullMarked;
