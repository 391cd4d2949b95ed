/** Gathers what ranks did, and writes into files how they were made. */
@NullMarked
package io.xfuser.internal.report;

import org.jspecify.annotations.NullMarked;
