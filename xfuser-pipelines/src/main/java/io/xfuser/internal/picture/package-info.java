/** Pictures that come in: read, resized and put together as PIL and diffusers do it, in 8 bits. */
@NullMarked
package io.xfuser.internal.picture;

import org.jspecify.annotations.NullMarked;
