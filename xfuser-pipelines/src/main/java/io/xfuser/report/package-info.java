/** What a request took. */
@NullMarked
package io.xfuser.report;

import org.jspecify.annotations.NullMarked;
