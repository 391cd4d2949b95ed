/** What the tests of several modules share. */
@NullMarked
package io.xfuser.testing;

import org.jspecify.annotations.NullMarked;
