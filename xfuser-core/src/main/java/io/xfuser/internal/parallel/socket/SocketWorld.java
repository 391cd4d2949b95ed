package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.World;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.TreeMap;

/** Joins the ranks of several processes to a world. */
public final class SocketWorld {
  /** Tensors of fewer bytes go over TCP with their header: up to here that is as fast. */
  static final long SHARED_BYTES = 256 << 10;

  private SocketWorld() {}

  /** Joins as {@code config} says; see {@link #join(SocketConfig, Fingerprint)}. */
  public static World join(SocketConfig config) {
    return join(config, Fingerprint.EMPTY);
  }

  /**
   * Joins as {@code config} says: returns when all ranks are connected to one another. The caller
   * closes the world.
   *
   * @param fingerprint what must be equal on all ranks
   * @throws IllegalArgumentException if the ranks would meet without a secret at an address that is
   *     not the loopback's
   * @throws MismatchException on all ranks, if their fingerprints differ
   * @throws CommunicationException if not all ranks join in time, or they do not fit together
   */
  public static World join(SocketConfig config, Fingerprint fingerprint) {
    config.requireSecret();
    Mesh mesh = new Mesh();
    try (Listener listener = new Listener("xfuser-rank" + config.rank() + "-listener");
        Rendezvous rendezvous =
            config.rank() == 0
                ? new RendezvousHost(config, fingerprint, listener, mesh)
                : new RendezvousGuest(config, fingerprint, listener, mesh)) {
      rendezvous.connect();
      Map<Integer, SharedRings> rings = rings(config, mesh, rendezvous);
      rendezvous.ready();
      return new World(new SocketTransport(config, mesh, rings, SHARED_BYTES).start());
    } catch (IOException e) {
      mesh.close();
      throw new CommunicationException(
          "rank " + config.rank() + " cannot connect to the others: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      mesh.close();
      throw e;
    }
  }

  private static Map<Integer, SharedRings> rings(
      SocketConfig config, Mesh mesh, Rendezvous rendezvous) throws IOException {
    SharedRings.sweep(SharedRings.DIRECTORY);
    Map<Integer, SharedRings> rings = new TreeMap<>();
    for (Map.Entry<Integer, SocketChannel> peer : mesh.tensors().entrySet()) {
      try {
        rings.put(
            peer.getKey(),
            SharedRings.exchange(
                peer.getValue(),
                config.sharedMemory(),
                config.limits().rendezvous(),
                rendezvous::check));
      } catch (SocketTimeoutException e) {
        throw new CommunicationException(
            "rank %d has stopped answering rank %d while they joined"
                .formatted(peer.getKey(), config.rank()),
            e);
      }
    }
    return rings;
  }
}
