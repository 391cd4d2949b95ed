/** Wan 2.1 and 2.2 (Alibaba, arXiv 2503.20314): videos. */
@NullMarked
package io.xfuser.models.internal.wan;

import org.jspecify.annotations.NullMarked;
