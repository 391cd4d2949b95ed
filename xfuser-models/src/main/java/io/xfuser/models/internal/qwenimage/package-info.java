/** Qwen-Image (Alibaba, arXiv 2508.02324). */
@NullMarked
package io.xfuser.models.internal.qwenimage;

import org.jspecify.annotations.NullMarked;
