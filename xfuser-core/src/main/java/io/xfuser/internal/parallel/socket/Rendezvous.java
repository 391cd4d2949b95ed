package io.xfuser.internal.parallel.socket;

/**
 * How the ranks find one another; used by one thread. All throw CommunicationException where that
 * fails.
 */
interface Rendezvous extends AutoCloseable {
  /** Waits until all ranks have joined. */
  Roster roster();

  /** Says that this rank is connected to all others, and waits until all have said so. */
  void ready();

  /** Throws if a rank has died or was rejected meanwhile. */
  void check();

  @Override
  void close();
}
