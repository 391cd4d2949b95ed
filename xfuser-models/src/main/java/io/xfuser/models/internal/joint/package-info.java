/**
 * What transformers with joint attention have alike: text and image in one sequence, both modulated
 * by the timestep and the pooled text (MM-DiT, arXiv 2403.03206).
 */
@NullMarked
package io.xfuser.models.internal.joint;

import org.jspecify.annotations.NullMarked;
