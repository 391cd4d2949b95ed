/** Noise schedules and solvers as pure functions of a sample: diffusers' schedulers. */
@NullMarked
package io.xfuser.models.internal.scheduler;

import org.jspecify.annotations.NullMarked;
