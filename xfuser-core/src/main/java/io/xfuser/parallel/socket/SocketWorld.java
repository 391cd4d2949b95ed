package io.xfuser.parallel.socket;

import io.xfuser.parallel.CommunicationException;
import io.xfuser.parallel.World;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.TreeMap;

/** Joins the ranks of several processes to a world. */
public final class SocketWorld {
  /** Tensors of fewer bytes go over TCP with their header: up to here that is as fast. */
  static final long SHARED_BYTES = 256 << 10;

  private SocketWorld() {}

  /**
   * Joins as the environment says; see {@link SocketConfig#fromEnvironment}.
   *
   * @throws IllegalArgumentException if the environment makes no sense
   * @throws CommunicationException if not all ranks join in time, or they do not fit together
   */
  public static World join() {
    return join(SocketConfig.fromEnvironment(System.getenv()));
  }

  /**
   * Joins as {@code config} says: returns when all ranks are connected to one another. The caller
   * closes the world.
   *
   * @throws CommunicationException if not all ranks join in time, or they do not fit together
   */
  public static World join(SocketConfig config) {
    boolean local = config.master().local();
    try (Listener listener = new Listener(local, "xfuser-rank" + config.rank() + "-listener");
        Rendezvous rendezvous = rendezvous(config, listener)) {
      Mesh mesh = Mesh.connect(config, rendezvous, listener, rendezvous.roster());
      try {
        Map<Integer, SharedRings> rings = new TreeMap<>();
        for (Map.Entry<Integer, SocketChannel> peer : mesh.tensors().entrySet()) {
          rings.put(peer.getKey(), SharedRings.exchange(peer.getValue(), config.sharedMemory()));
        }
        rendezvous.ready();
        return new World(new SocketTransport(config, mesh, rings, SHARED_BYTES).start());
      } catch (IOException | RuntimeException e) {
        mesh.close();
        throw e;
      }
    } catch (IOException e) {
      throw new CommunicationException(
          "rank " + config.rank() + " cannot connect to the others: " + e.getMessage(), e);
    }
  }

  private static Rendezvous rendezvous(SocketConfig config, Listener own) throws IOException {
    return config.rank() == 0 ? new RendezvousHost(config, own) : new RendezvousGuest(config, own);
  }
}
