package io.xfuser.internal.picture;

import javax.imageio.stream.ImageInputStreamImpl;

/**
 * The bytes of a file for a library that reads pictures. Some go on for minutes behind the end of a
 * broken one, as if there were zeros: who asks there too often is stopped.
 */
final class FileStream extends ImageInputStreamImpl {
  private static final int MOST_BEHIND = 256;

  private final byte[] file;
  private int behind;

  FileStream(byte[] file) {
    this.file = file;
  }

  @Override
  public int read() {
    bitOffset = 0;
    return isAtEnd() ? -1 : file[(int) streamPos++] & 0xFF;
  }

  @Override
  public int read(byte[] into, int from, int length) {
    bitOffset = 0;
    if (length == 0) {
      return 0;
    } else if (isAtEnd()) {
      return -1;
    }
    int count = (int) Math.min(length, file.length - streamPos);
    System.arraycopy(file, (int) streamPos, into, from, count);
    streamPos += count;
    return count;
  }

  private boolean isAtEnd() {
    if (streamPos < file.length) {
      return false;
    }
    if (++behind > MOST_BEHIND) {
      throw new IllegalArgumentException("it ends too early");
    }
    return true;
  }

  @Override
  public long length() {
    return file.length;
  }
}
