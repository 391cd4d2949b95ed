/**
 * The boundary to libtorch: programs written as TorchScript text, and the few native calls that
 * DJL's NDArray does not offer. No other package touches {@code ai.djl.pytorch}.
 */
@NullMarked
package io.xfuser.torchscript;

import org.jspecify.annotations.NullMarked;
