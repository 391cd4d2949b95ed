/** DiT (arXiv 2212.09748): pictures of ImageNet classes. */
@NullMarked
package io.xfuser.models.internal.dit;

import org.jspecify.annotations.NullMarked;
