/** Measures this project; {@code scripts/bench} runs these mains. */
@NullMarked
package io.xfuser.examples.bench;

import org.jspecify.annotations.NullMarked;
