/** What each rank did when, and how to look at it. */
@NullMarked
package io.xfuser.trace;

import org.jspecify.annotations.NullMarked;
