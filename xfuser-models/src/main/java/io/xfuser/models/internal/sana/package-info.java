/** SANA (NVIDIA, arXiv 2410.10629). */
@NullMarked
package io.xfuser.models.internal.sana;

import org.jspecify.annotations.NullMarked;
