/** The hub, and a server that speaks as it does. */
@NullMarked
package io.xfuser.hub;

import org.jspecify.annotations.NullMarked;
