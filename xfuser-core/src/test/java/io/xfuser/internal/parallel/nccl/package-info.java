/** Ranks with a GPU each, played on the CPU. */
@NullMarked
package io.xfuser.internal.parallel.nccl;

import org.jspecify.annotations.NullMarked;
