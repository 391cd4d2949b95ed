package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How a rank meets the others: {@link #connect}, then {@link #ready}. The thread that joins waits
 * in {@link #await}; what other threads hear they {@link #note}, or {@link #end} the wait. Throws
 * CommunicationException where the ranks cannot meet.
 */
abstract class Rendezvous implements AutoCloseable {
  /** How often it is looked whether time has brought about what is waited for. */
  private static final long GLANCE_MILLIS = 100;

  final SocketConfig config;
  final Listener listener;
  private final Mesh mesh;
  private @Nullable RuntimeException failure;
  private boolean over; // nothing that is heard counts any more

  /**
   * Of the rank of {@code config}.
   *
   * @param listener where the others will find it; takes a port
   * @param mesh where connections go; nobody else's until all are ready
   */
  Rendezvous(SocketConfig config, Listener listener, Mesh mesh) {
    this.config = config;
    this.listener = listener;
    this.mesh = mesh;
  }

  /** Waits until all ranks have joined; after it at the latest this rank answers the others. */
  abstract Roster roster();

  /** Says that this rank is connected to all others, and waits until all have said so. */
  abstract void ready();

  /** Waits until all have joined, and connects this rank to all others. */
  final void connect() {
    Roster roster = roster();
    for (int peer = 0; peer < config.rank(); peer++) {
      for (byte purpose : List.of(Handshake.SIGNALS, Handshake.TENSORS)) {
        Handshake.Call call =
            new Handshake.Call(purpose, Handshake.session(roster.session()), peer, config.rank());
        Search search = new Search(config, call, roster.seats().get(peer));
        keep(peer, purpose, search.find(this::check));
      }
    }
    int peers = config.size() - 1;
    await(
        () -> mesh.signals().size() == peers && mesh.tensors().size() == peers,
        config.limits().rendezvous(),
        () ->
            "rank %d is connected to %s only, not to all of %d ranks"
                .formatted(config.rank(), mesh.tensors().keySet(), config.size()));
  }

  /** Lets the listener answer calls to {@code worlds}. */
  final void answer(Consumer<String> refused, String... worlds) {
    SocketConfig.Master master = config.master();
    listener.start(
        new Handshake.Listening(
            List.of(worlds), config.rank(), master.secret(), master.tls(), refused),
        this::accept);
  }

  /** Takes the connection of a rank that has called, and knows the secret. */
  void accept(Connection connection, Handshake.Call call) throws IOException {
    int peer = call.from();
    if (peer <= config.rank() || peer >= config.size() || call.purpose() == Handshake.JOIN) {
      throw new IOException("rank " + peer + " does not call this one");
    }
    keep(peer, call.purpose(), connection);
  }

  private void keep(int peer, byte purpose, Connection connection) {
    if (!note(() -> mesh.keep(peer, purpose, connection.channel()))) {
      connection.close();
    }
  }

  /** Takes in what was heard, and tells the thread that joins; false if all is over. */
  final synchronized boolean note(Runnable news) {
    if (!over) {
      news.run();
      notifyAll();
    }
    return !over;
  }

  /** Ends the wait of the thread that joins, unless something has before. */
  synchronized void end(RuntimeException reason) {
    note(() -> failure = reason);
    over = true;
  }

  /** Throws if the ranks cannot meet any more. */
  final synchronized void check() {
    if (failure != null) {
      throw failure;
    }
  }

  /** Why the ranks cannot meet any more. */
  final synchronized String reason() {
    return failure == null ? "" : String.valueOf(failure.getMessage());
  }

  /** Waits until {@code met} holds; fails with the sentence of {@code late} after {@code limit}. */
  final synchronized void await(BooleanSupplier met, Duration limit, Supplier<String> late) {
    Deadline deadline = Deadline.after(limit);
    try {
      while (!met.getAsBoolean()) {
        if (deadline.isOver()) {
          end(new CommunicationException(late.get()));
        }
        check();
        wait(GLANCE_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationException("interrupted while ranks were waited for", e);
    }
  }

  @Override
  public void close() {
    end(new CommunicationException("rank " + config.rank() + " left the rendezvous"));
  }
}
