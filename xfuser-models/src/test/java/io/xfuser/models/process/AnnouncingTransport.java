package io.xfuser.models.process;

import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.Transport;
import java.time.Duration;

/**
 * Says when the rank begins one activity, and lets it last, so that a test can end it just then.
 */
final class AnnouncingTransport extends ForwardingTransport {
  private static final Duration PAUSE = Duration.ofSeconds(2);

  private final String announced;

  AnnouncingTransport(Transport inner, String announced) {
    super(inner);
    this.announced = announced;
  }

  @Override
  public void activity(String what) {
    super.activity(what);
    if (announced.equals("rank " + rank() + " " + what)) {
      System.out.println("ACTIVITY of " + announced);
      System.out.flush();
      try {
        Thread.sleep(PAUSE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
