/** What {@code scripts/gpu-check} finds out about a machine with GPUs. */
@NullMarked
package io.xfuser.examples.gpucheck;

import org.jspecify.annotations.NullMarked;
