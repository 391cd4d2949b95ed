/**
 * Ranks with a GPU each: tensors in GPU memory travel by NCCL, everything else over the transport
 * beneath. Of this package only {@code CudaNccl} touches NVIDIA's libraries, and only once a world
 * is made here.
 */
@NullMarked
package io.xfuser.internal.parallel.nccl;

import org.jspecify.annotations.NullMarked;
