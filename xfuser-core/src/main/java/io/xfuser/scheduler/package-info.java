/** What the denoising loop asks of a noise schedule with its solver. */
@NullMarked
package io.xfuser.scheduler;

import org.jspecify.annotations.NullMarked;
