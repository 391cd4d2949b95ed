/** What provides a thing by the name of its class, found by {@link java.util.ServiceLoader}. */
@NullMarked
package io.xfuser.internal.registry;

import org.jspecify.annotations.NullMarked;
