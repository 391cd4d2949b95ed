/** Chroma (lodestones, 2025): Chroma1-HD, Chroma1-Base, Chroma1-Flash. */
@NullMarked
package io.xfuser.models.internal.chroma;

import org.jspecify.annotations.NullMarked;
