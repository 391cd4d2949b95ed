/** Clocks, memory and GPUs of the device where a rank computes. */
@NullMarked
package io.xfuser.internal.device;

import org.jspecify.annotations.NullMarked;
