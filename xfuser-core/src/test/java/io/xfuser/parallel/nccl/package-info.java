/** Ranks with a GPU each, played on the CPU. */
@NullMarked
package io.xfuser.parallel.nccl;

import org.jspecify.annotations.NullMarked;
