/** Ranks that are threads of one JVM. */
@NullMarked
package io.xfuser.internal.parallel.inprocess;

import org.jspecify.annotations.NullMarked;
