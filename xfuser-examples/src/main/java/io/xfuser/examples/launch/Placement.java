package io.xfuser.examples.launch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
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
public record Placement(
    int ranksPerNode, int nodes, int nodeRank, String masterAddress, int masterPort) {

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException with one sentence for what cannot be
   */
  public Placement {
    check(ranksPerNode >= 1, "--nproc_per_node must be at least 1, but is " + ranksPerNode);
    check(nodes >= 1, "--nnodes must be at least 1, but is " + nodes);
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
   * @throws UncheckedIOException if no port can be opened
   */
  public static Placement local(int ranks) {
    return new Placement(ranks, 1, 0, "127.0.0.1", freePort());
  }

  /** The number of ranks on all hosts. */
  public int worldSize() {
    return Math.multiplyExact(ranksPerNode, nodes);
  }

  /** The rank, among all, of this host's rank {@code localRank}. */
  public int rank(int localRank) {
    return nodeRank * ranksPerNode + localRank;
  }

  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("no free port for the ranks to meet at", e);
    }
  }

  private static void check(boolean holds, String sentence) {
    if (!holds) {
      throw new IllegalArgumentException(sentence);
    }
  }
}
