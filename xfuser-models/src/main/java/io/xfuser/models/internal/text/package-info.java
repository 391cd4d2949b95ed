/** Text encoders: caption cleaning, tokenization, and the encoders T5, CLIP and BERT. */
@NullMarked
package io.xfuser.models.internal.text;

import org.jspecify.annotations.NullMarked;
