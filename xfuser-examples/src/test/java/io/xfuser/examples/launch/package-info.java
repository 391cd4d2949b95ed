/** Tests of the launcher. */
@NullMarked
package io.xfuser.examples.launch;

import org.jspecify.annotations.NullMarked;
