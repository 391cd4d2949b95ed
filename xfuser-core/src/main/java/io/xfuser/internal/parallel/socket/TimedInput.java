package io.xfuser.internal.parallel.socket;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * Reads a blocking connection until a deadline, which one that sends a byte now and then cannot put
 * off.
 */
final class TimedInput extends InputStream {
  private static final long SLICE_MILLIS = 200;

  private final Socket socket;
  private final InputStream in;
  private final Deadline deadline;
  private final Runnable check;

  /**
   * From {@code channel}.
   *
   * @param limit from now on, for all that is read
   * @param check called while nothing comes; what it throws ends the wait
   */
  TimedInput(SocketChannel channel, Duration limit, Runnable check) throws IOException {
    this.socket = channel.socket();
    this.in = socket.getInputStream();
    this.deadline = Deadline.after(limit);
    this.check = check;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] target, int from, int length) throws IOException {
    while (true) {
      long millis = deadline.millis();
      if (millis <= 0) {
        throw new SocketTimeoutException("the other side is silent");
      }
      socket.setSoTimeout((int) Math.min(millis, SLICE_MILLIS));
      try {
        return in.read(target, from, length);
      } catch (SocketTimeoutException e) {
        check.run();
      } finally {
        socket.setSoTimeout(0);
      }
    }
  }
}
