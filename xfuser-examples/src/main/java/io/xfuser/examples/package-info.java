/** One main for each model and one for all. */
@NullMarked
package io.xfuser.examples;

import org.jspecify.annotations.NullMarked;
