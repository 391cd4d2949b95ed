/** Ranks: the device mesh, communicators over its axes, and what carries their messages. */
@NullMarked
package io.xfuser.internal.parallel;

import org.jspecify.annotations.NullMarked;
