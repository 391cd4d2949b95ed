/** Draws with models of the size that people use; {@code scripts/checks/real_size} runs it. */
@NullMarked
package io.xfuser.examples.realsize;

import org.jspecify.annotations.NullMarked;
