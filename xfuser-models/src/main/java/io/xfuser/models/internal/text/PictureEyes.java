package io.xfuser.models.internal.text;

import io.xfuser.model.TextEncoder.PictureEncoder;

/** What sees pictures that are prompts. */
interface PictureEyes extends PictureEncoder {
  /** The width of what a picture is seen as, and the setting that says it. */
  TextSizes.Width width();
}
