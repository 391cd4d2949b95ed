/**
 * Who does what in a request, on which device, and what it needs: computed before anything runs.
 */
@NullMarked
package io.xfuser.internal.plan;

import org.jspecify.annotations.NullMarked;
