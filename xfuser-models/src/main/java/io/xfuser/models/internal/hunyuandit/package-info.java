/** HunyuanDiT 1.1 and 1.2 (arXiv 2405.08748). */
@NullMarked
package io.xfuser.models.internal.hunyuandit;

import org.jspecify.annotations.NullMarked;
