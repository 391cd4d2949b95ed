/**
 * Kernels that libtorch has not: CUDA C text compiled on the machine where it runs, and operators
 * of TorchScript that launch them ({@code docs/adr/0039-own-kernels.md}).
 */
@NullMarked
package io.xfuser.internal.kernels;

import org.jspecify.annotations.NullMarked;
