/** Where ranks with JVMs of their own meet. */
@NullMarked
package io.xfuser.parallel;

import org.jspecify.annotations.NullMarked;
