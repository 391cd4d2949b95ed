/** What failures say, and values whose failure is not kept. */
@NullMarked
package io.xfuser.internal.failure;

import org.jspecify.annotations.NullMarked;
