/** The strategies of parallel self-attention, and its kernels. */
@NullMarked
package io.xfuser.internal.attention;

import org.jspecify.annotations.NullMarked;
