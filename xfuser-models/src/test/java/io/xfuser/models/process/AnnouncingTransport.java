package io.xfuser.models.process;

import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.Transport;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Says when the rank begins one activity, and lets it last, so that a test can end the rank in it.
 */
final class AnnouncingTransport extends ForwardingTransport {
  private static final Duration PAUSE = Duration.ofSeconds(60);

  private final String announced;
  private final Map<String, Runnable> reactions = new ConcurrentHashMap<>();

  AnnouncingTransport(Transport inner, String announced) {
    super(inner);
    this.announced = announced;
  }

  /** Has {@code reaction} run once, when the rank begins {@code activity}, and lets it last. */
  void when(String activity, Runnable reaction) {
    reactions.put(activity, reaction);
  }

  @Override
  public void activity(String what) {
    super.activity(what);
    Runnable reaction = reactions.remove(what);
    if (reaction != null) {
      reaction.run();
    }
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
