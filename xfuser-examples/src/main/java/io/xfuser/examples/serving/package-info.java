/** A server under load. */
@NullMarked
package io.xfuser.examples.serving;

import org.jspecify.annotations.NullMarked;
