/** The laws that every model obeys under every strategy. */
@NullMarked
package io.xfuser.models.contract;

import org.jspecify.annotations.NullMarked;
