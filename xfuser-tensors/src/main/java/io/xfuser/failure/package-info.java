/** What failures say, and values whose failures pass. Stands on nothing. */
@NullMarked
package io.xfuser.failure;

import org.jspecify.annotations.NullMarked;
