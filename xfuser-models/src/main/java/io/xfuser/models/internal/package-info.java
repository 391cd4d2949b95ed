/** What the pipelines of several models share. */
@NullMarked
package io.xfuser.models.internal;

import org.jspecify.annotations.NullMarked;
