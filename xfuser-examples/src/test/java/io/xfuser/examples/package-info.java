/** Mains that the launcher's tests start. */
@NullMarked
package io.xfuser.examples;

import org.jspecify.annotations.NullMarked;
