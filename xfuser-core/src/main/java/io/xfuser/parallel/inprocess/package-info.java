/** Ranks that are threads of one JVM. */
@NullMarked
package io.xfuser.parallel.inprocess;

import org.jspecify.annotations.NullMarked;
