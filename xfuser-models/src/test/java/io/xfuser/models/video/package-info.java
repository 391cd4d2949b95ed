/** A transformer of videos that has what no model of this project has yet, but its core does. */
@NullMarked
package io.xfuser.models.video;

import org.jspecify.annotations.NullMarked;
