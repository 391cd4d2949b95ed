/** HunyuanVideo 1.5 (Tencent, arXiv 2511.18870): videos. */
@NullMarked
package io.xfuser.models.internal.hunyuanvideo15;

import org.jspecify.annotations.NullMarked;
