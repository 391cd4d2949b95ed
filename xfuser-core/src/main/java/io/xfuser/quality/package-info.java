/** How far one picture is from another, in the field's figures. */
@NullMarked
package io.xfuser.quality;

import org.jspecify.annotations.NullMarked;
