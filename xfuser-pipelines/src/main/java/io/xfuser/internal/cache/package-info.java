/** When steps are spared: pure decisions, without tensors. */
@NullMarked
package io.xfuser.internal.cache;

import org.jspecify.annotations.NullMarked;
