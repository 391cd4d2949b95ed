package io.xfuser.cli.launch;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.CommunicationException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command line of xfrun, with the names of torchrun's. */
@Command(
    name = "xfrun",
    description = "Runs MAIN on several ranks, one JVM each, as torchrun does.",
    sortOptions = false)
final class XfRunArgs {
  private static final int TORCHRUN_PORT = 29500;

  @Option(
      names = {"--nproc_per_node", "--nproc-per-node"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Ranks on this host (default: ${DEFAULT-VALUE}).")
  private int ranksPerNode;

  @Option(
      names = {"--nnodes"},
      paramLabel = "K",
      defaultValue = "1",
      description = "Hosts (default: ${DEFAULT-VALUE}).")
  private int nodes;

  @Option(
      names = {"--node_rank", "--node-rank"},
      paramLabel = "R",
      defaultValue = "0",
      description = "This host's number, from 0 (default: ${DEFAULT-VALUE}).")
  private int nodeRank;

  @Option(
      names = {"--master_addr", "--master-addr"},
      paramLabel = "A",
      description = "The host of rank 0 (default on one host: 127.0.0.1).")
  private @Nullable String masterAddress;

  @Option(
      names = {"--master_port", "--master-port"},
      paramLabel = "P",
      description =
          "The port where the ranks meet (default: a free one; on several hosts "
              + TORCHRUN_PORT
              + ").")
  private @Nullable Integer masterPort;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Shows this.")
  private boolean help;

  @Parameters(
      index = "0",
      paramLabel = "MAIN",
      description = "A main class: a name in io.xfuser.examples, or one with its package.")
  private String main = "";

  @Parameters(index = "1..*", paramLabel = "FLAG", description = "What MAIN is given.")
  private List<String> arguments = new ArrayList<>();

  boolean helpRequested() {
    return help;
  }

  /**
   * What to start.
   *
   * @throws ArgumentException with one sentence for numbers or a class that cannot be, or a port
   *     that is taken
   * @throws CommunicationException in one sentence, if this host has no address to meet at
   */
  LaunchPlan plan() {
    if (nodes > 1 && masterAddress == null) {
      throw new ArgumentException(
          "--nnodes " + nodes + " needs --master_addr, the address of node 0");
    }
    String address =
        masterAddress != null ? masterAddress : LaunchTopology.loopback().getHostAddress();
    int port = masterPort != null ? masterPort : nodes > 1 ? TORCHRUN_PORT : freePort();
    LaunchTopology placement = new LaunchTopology(ranksPerNode, nodes, nodeRank, address, port);
    LaunchPlan plan = new LaunchPlan(MainClass.named(main), arguments, placement);
    placement.requireFreePort();
    return plan;
  }

  private static int freePort() {
    return LaunchTopology.freePort(LaunchTopology.loopback());
  }
}
