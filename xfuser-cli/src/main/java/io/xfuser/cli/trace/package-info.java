/** Pictures of what ranks did when. */
@NullMarked
package io.xfuser.cli.trace;

import org.jspecify.annotations.NullMarked;
