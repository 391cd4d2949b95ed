package io.xfuser.langchain4j;

import dev.langchain4j.data.image.Image;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** langchain4j's images as the pipeline's. */
final class Pictures {
  private Pictures() {}

  static Picture of(@Nullable Image image) {
    if (image != null && image.base64Data() != null) {
      return Picture.of(decoded(image.base64Data()));
    }
    URI place = image == null ? null : image.url();
    if (place == null) {
      throw new ArgumentException("there is no picture: give its bytes in base 64, or an address");
    }
    if ("file".equals(place.getScheme())) {
      return Picture.of(Path.of(place));
    }
    if ("data".equals(place.getScheme())) {
      String text = place.getSchemeSpecificPart();
      int comma = text.indexOf(',');
      if (comma >= 0 && text.substring(0, comma).endsWith(";base64")) {
        return Picture.of(decoded(text.substring(comma + 1)));
      }
      throw new ArgumentException("a data address of a picture needs \";base64,\" and its bytes");
    }
    throw new ArgumentException(
        "pictures are not fetched from " + place + ": give the bytes in base 64");
  }

  private static byte[] decoded(String text) {
    try {
      return Base64.getMimeDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new ArgumentException("the picture is not in base 64: " + e.getMessage());
    }
  }
}
