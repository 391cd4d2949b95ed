/** Ranks that are processes, one JVM each, on one machine or several: messages over TCP. */
@NullMarked
package io.xfuser.internal.parallel.socket;

import org.jspecify.annotations.NullMarked;
