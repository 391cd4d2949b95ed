/** Adapters by which pictures are prompts. */
@NullMarked
package io.xfuser.models.internal.adapter;

import org.jspecify.annotations.NullMarked;
