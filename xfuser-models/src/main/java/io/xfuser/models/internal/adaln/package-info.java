/**
 * Transformers whose blocks share one projection of the timestep (adaLN-single) and look at a
 * caption by cross-attention, as PixArt-α (arXiv 2310.00426) introduced them: the parts that models
 * of that kind have alike.
 */
@NullMarked
package io.xfuser.models.internal.adaln;

import org.jspecify.annotations.NullMarked;
