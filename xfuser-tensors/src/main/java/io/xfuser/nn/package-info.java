/** Building blocks that know nothing of ranks: token ranges and layouts. */
@NullMarked
package io.xfuser.nn;

import org.jspecify.annotations.NullMarked;
