package io.xfuser.internal.report;

import ai.djl.modality.cv.Image;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Texts in PNG files: chunks tEXt where ISO 8859-1 has all letters, else iTXt, which is UTF-8. As
 * Pillow writes them; source: PNG, third edition, sections 11.3.3.2 and 11.3.3.4.
 */
public final class PngText {
  /** Signature and IHDR, which comes first. */
  private static final int HEADER = 8 + 25;

  private PngText() {}

  /** {@code image} as PNG with {@code texts} by keyword, 1 to 79 letters of ASCII. */
  public static byte[] with(Image image, Map<String, String> texts) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      image.save(png, "png");
      return with(png.toByteArray(), texts);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // nothing is written to a file
    }
  }

  /** {@code png} with {@code texts} by keyword, 1 to 79 letters of ASCII. */
  public static byte[] with(byte[] png, Map<String, String> texts) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(png, 0, HEADER);
    for (Map.Entry<String, String> text : texts.entrySet()) {
      write(out, text.getKey(), text.getValue());
    }
    out.write(png, HEADER, png.length - HEADER);
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, String keyword, String text) throws IOException {
    boolean latin = StandardCharsets.ISO_8859_1.newEncoder().canEncode(text);
    ByteArrayOutputStream chunk = new ByteArrayOutputStream();
    chunk.write((latin ? "tEXt" : "iTXt").getBytes(StandardCharsets.US_ASCII));
    chunk.write(keyword.getBytes(StandardCharsets.US_ASCII));
    // The keyword ends with 0; iTXt: not compressed, method 0, no language, no translated keyword.
    chunk.write(latin ? new byte[1] : new byte[5]);
    chunk.write(text.getBytes(latin ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
    CRC32 check = new CRC32();
    check.update(chunk.toByteArray());
    out.writeInt(chunk.size() - 4); // the type does not count
    chunk.writeTo(out);
    out.writeInt((int) check.getValue());
  }
}
