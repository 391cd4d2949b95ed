/**
 * The strategies of parallel self-attention, its kernels, and what else tokens learn of one
 * another: sums over all of them, and neighbours.
 */
@NullMarked
package io.xfuser.internal.attention;

import org.jspecify.annotations.NullMarked;
