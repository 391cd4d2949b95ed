/** How far something is that takes long: one kind of event and one listener for all of it. */
@NullMarked
package io.xfuser.progress;

import org.jspecify.annotations.NullMarked;
