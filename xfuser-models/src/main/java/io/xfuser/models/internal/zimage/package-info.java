/** Z-Image (Alibaba, arXiv 2511.22699). */
@NullMarked
package io.xfuser.models.internal.zimage;

import org.jspecify.annotations.NullMarked;
