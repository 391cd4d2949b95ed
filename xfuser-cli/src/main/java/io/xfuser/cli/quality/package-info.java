/** How far one picture or video is from another, in the field's figures. */
@NullMarked
package io.xfuser.cli.quality;

import org.jspecify.annotations.NullMarked;
