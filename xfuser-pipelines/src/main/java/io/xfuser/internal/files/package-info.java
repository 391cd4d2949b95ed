/** Models that are files, put together by whoever knows their formats. */
@NullMarked
package io.xfuser.internal.files;

import org.jspecify.annotations.NullMarked;
