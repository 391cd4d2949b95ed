/** Native libraries: which are loaded, what they are called, what they read of the environment. */
@NullMarked
package io.xfuser.internal.natives;

import org.jspecify.annotations.NullMarked;
