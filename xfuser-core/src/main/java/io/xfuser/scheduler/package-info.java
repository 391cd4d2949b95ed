/** Noise schedules and solvers as pure functions of a sample. */
@NullMarked
package io.xfuser.scheduler;

import org.jspecify.annotations.NullMarked;
