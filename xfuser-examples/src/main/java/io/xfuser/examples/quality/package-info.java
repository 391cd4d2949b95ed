/** Measures what stale keys and values cost: {@code scripts/quality/measure}. */
@NullMarked
package io.xfuser.examples.quality;

import org.jspecify.annotations.NullMarked;
