/** Tests of what the examples' mains share. */
@NullMarked
package io.xfuser.examples.runner;

import org.jspecify.annotations.NullMarked;
