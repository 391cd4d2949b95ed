/** Records what ranks do. */
@NullMarked
package io.xfuser.internal.trace;

import org.jspecify.annotations.NullMarked;
