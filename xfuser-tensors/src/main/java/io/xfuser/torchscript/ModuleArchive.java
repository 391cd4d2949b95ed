package io.xfuser.torchscript;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * The archive that {@code torch.jit.load} reads, assembled in memory around the text of the
 * functions.
 */
final class ModuleArchive {
  private static final String CLASS =
      "class Functions(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n";

  /** Pickle protocol 2 of {@code Functions()} with the attribute {@code training = False}. */
  private static final String PICKLED =
      "\u0080\u0002c__torch__\nFunctions\nq\0)\u0081}(X\u0008\0\0\0training\u0089ub.";

  private static final String EMPTY_TUPLE = "\u0080\u0002).";

  private ModuleArchive() {}

  /** The text of a resource beside {@code owner}. */
  static String read(Class<?> owner, String resource) {
    try (InputStream in = owner.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalArgumentException(
            "no resource " + resource + " beside " + owner.getName());
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] of(String functions) throws IOException {
    String body =
        functions
            .replaceAll("(?m)^def (\\w+)\\(self", "def $1(self: __torch__.Functions")
            .replaceAll("(?m)^(?=.)", "  ");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.setMethod(ZipOutputStream.STORED);
      put(zip, "data.pkl", PICKLED.getBytes(StandardCharsets.ISO_8859_1));
      put(zip, "code/__torch__.py", (CLASS + body).getBytes(StandardCharsets.UTF_8));
      put(zip, "constants.pkl", EMPTY_TUPLE.getBytes(StandardCharsets.ISO_8859_1));
      put(zip, "version", "10\n".getBytes(StandardCharsets.US_ASCII));
    }
    return bytes.toByteArray();
  }

  private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry("xfuser/" + name);
    entry.setSize(content.length);
    entry.setCompressedSize(content.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
