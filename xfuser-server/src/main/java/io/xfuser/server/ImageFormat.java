package io.xfuser.server;

import io.xfuser.config.Kind;
import io.xfuser.config.Setting;
import io.xfuser.internal.report.PngText;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/** How a picture is encoded. */
enum ImageFormat {
  PNG,
  JPEG,
  WEBP;

  static final Setting<ImageFormat> OUTPUT_FORMAT =
      Setting.of("output_format", Kind.oneOf(ImageFormat.class), "FORM", "png, jpeg or webp")
          .or(PNG);

  static final Setting<Integer> OUTPUT_COMPRESSION =
      Setting.of(
              "output_compression",
              Kind.whole(0, 100),
              "PERCENT",
              "Quality of JPEG and WebP, 100 is the best; PNG loses nothing anyway")
          .or(100);

  private static final float PERCENT = 100;

  /** {@code png}, {@code jpeg} or {@code webp}. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Its type in HTTP's headers. */
  String mediaType() {
    return "image/" + word();
  }

  /**
   * A format with its quality.
   *
   * @param quality 0 to 100
   */
  record Encoding(ImageFormat format, int quality) {
    /** As {@code form} asks for it. */
    static Encoding of(Form form) {
      return new Encoding(form.getOr(OUTPUT_FORMAT, PNG), form.getOr(OUTPUT_COMPRESSION, 100));
    }

    /** The bytes of a file; a PNG tells {@code provenance}. */
    byte[] encode(BufferedImage picture, Map<String, String> provenance) throws IOException {
      return switch (format) {
        case PNG -> {
          ByteArrayOutputStream png = new ByteArrayOutputStream();
          ImageIO.write(picture, "png", png);
          yield PngText.with(png.toByteArray(), provenance);
        }
        case JPEG -> jpeg(picture);
        case WEBP -> Recorded.webp(picture, quality);
      };
    }

    private byte[] jpeg(BufferedImage picture) throws IOException {
      BufferedImage plain = // JPEG has no alpha
          new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_3BYTE_BGR);
      plain.createGraphics().drawImage(picture, 0, 0, null);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
      try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
        ImageWriteParam how = writer.getDefaultWriteParam();
        how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        how.setCompressionQuality(quality / PERCENT);
        writer.setOutput(out);
        writer.write(null, new IIOImage(plain, null, null), how);
      } finally {
        writer.dispose();
      }
      return bytes.toByteArray();
    }
  }
}
