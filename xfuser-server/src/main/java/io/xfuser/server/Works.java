package io.xfuser.server;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is being drawn, by who asked for what, so that a client that asks again joins it. */
final class Works {
  private final Map<String, Entry> present = new HashMap<>(); // guarded by this

  private record Entry(String content, Work work) {}

  /**
   * The work for a request: one that is under way, or a new one; entered by the client.
   *
   * @param key the client's own name for its request; null = it has none
   * @param client who asks
   * @param content what is asked for
   * @throws Refusal if the client asked for something else by that name
   */
  synchronized Work join(
      @Nullable String key, String client, String content, Supplier<Work> start) {
    String name = client + "\n" + (key == null ? content : "key " + key);
    Entry known = present.get(name);
    if (known != null && !known.content().equals(content)) {
      throw new Refusal(
          Refusal.CONFLICT,
          "a request with the Idempotency-Key "
              + key
              + " is under way, but asks for something else",
          "idempotency_key_reused");
    }
    if (known != null && known.work().enter()) {
      return known.work();
    }
    Work work = start.get();
    work.enter();
    Entry entry = new Entry(content, work);
    present.put(name, entry);
    var unused = work.made().whenComplete((made, failure) -> forget(name, entry));
    return work;
  }

  private synchronized void forget(String name, Entry entry) {
    present.remove(name, entry);
  }
}
