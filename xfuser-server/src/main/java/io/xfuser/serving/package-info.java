/** Requests of one model taken step by step, so that deadlines are kept. */
@NullMarked
package io.xfuser.serving;

import org.jspecify.annotations.NullMarked;
