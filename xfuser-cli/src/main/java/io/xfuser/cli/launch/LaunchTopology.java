package io.xfuser.cli.launch;

import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.OwnAddresses;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;

/**
 * Which ranks run on this host, and where all ranks meet.
 *
 * @param ranksPerNode ranks on each host, ≥ 1
 * @param nodes hosts, ≥ 1
 * @param nodeRank this host's number, from 0 to {@code nodes - 1}
 * @param masterAddress the host of rank 0, by name or address
 * @param masterPort the TCP port on that host at which the ranks meet, 1 to 65535
 */
public record LaunchTopology(
    int ranksPerNode, int nodes, int nodeRank, String masterAddress, int masterPort) {
  /** More JVMs are a slip of the pen, and would fill the memory of a host. */
  private static final int MOST_ON_A_HOST = 1024;

  /**
   * Checks the numbers.
   *
   * @throws ArgumentException with one sentence for what cannot be
   */
  public LaunchTopology {
    check(ranksPerNode >= 1, "--nproc_per_node must be at least 1, but is " + ranksPerNode);
    check(nodes >= 1, "--nnodes must be at least 1, but is " + nodes);
    check(
        ranksPerNode <= MOST_ON_A_HOST,
        "--nproc_per_node must be at most %d, but is %d".formatted(MOST_ON_A_HOST, ranksPerNode));
    check(
        (long) ranksPerNode * nodes <= ParallelConfig.MOST_RANKS,
        "--nnodes %d × --nproc_per_node %d: more ranks than the %d that a world can have"
            .formatted(nodes, ranksPerNode, ParallelConfig.MOST_RANKS));
    check(
        nodeRank >= 0 && nodeRank < nodes,
        "--node_rank must be from 0 to "
            + (nodes - 1)
            + " on "
            + nodes
            + " nodes, but is "
            + nodeRank);
    check(!masterAddress.isBlank(), "--master_addr must not be empty");
    check(
        masterPort >= 1 && masterPort <= 65535,
        "--master_port must be from 1 to 65535, but is " + masterPort);
  }

  /**
   * All ranks on this host, which meet at a port that is free now.
   *
   * @throws ArgumentException if there are more than can be started on a host
   * @throws CommunicationException in one sentence, if this host has no loopback address
   * @throws UncheckedIOException if no port can be opened
   */
  public static LaunchTopology local(int ranks) {
    check(
        ranks <= MOST_ON_A_HOST,
        "--launcher process starts at most %d ranks, but is asked for %d"
            .formatted(MOST_ON_A_HOST, ranks));
    InetAddress address = loopback();
    return new LaunchTopology(ranks, 1, 0, address.getHostAddress(), freePort(address));
  }

  /** The number of ranks on all hosts. */
  public int worldSize() {
    return Math.multiplyExact(ranksPerNode, nodes);
  }

  /** The rank, among all, of this host's rank {@code localRank}. */
  public int rank(int localRank) {
    return nodeRank * ranksPerNode + localRank;
  }

  /** This host's loopback address: of IPv4, or of IPv6 where it has no other. */
  static InetAddress loopback() {
    try {
      return OwnAddresses.loopback("127.0.0.1");
    } catch (IOException e) {
      throw new CommunicationException(String.valueOf(e.getMessage()), e);
    }
  }

  static int freePort(InetAddress address) {
    try (ServerSocket socket = new ServerSocket(0, 1, address)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("no free port for the ranks to meet at", e);
    }
  }

  /**
   * Checks that rank 0, if it is to run here, can have its port: sooner and in clearer words than
   * the ranks could say it.
   *
   * @throws ArgumentException if another program listens there
   */
  void requireFreePort() {
    if (nodeRank != 0) {
      return;
    }
    try {
      InetAddress address = InetAddress.getByName(masterAddress);
      if (address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null) {
        new ServerSocket(masterPort, 1, address).close();
      }
    } catch (BindException e) {
      throw new ArgumentException(
          "port %d of %s is taken, by another run perhaps: --master_port chooses another (%s)"
              .formatted(masterPort, masterAddress, e.getMessage()),
          e);
    } catch (IOException e) {
      return; // a name that only the ranks can make something of
    }
  }

  private static void check(boolean holds, String sentence) {
    if (!holds) {
      throw new ArgumentException(sentence);
    }
  }
}
