/** Text encoders: caption cleaning, tokenization and the T5 encoder. */
@NullMarked
package io.xfuser.models.text;

import org.jspecify.annotations.NullMarked;
