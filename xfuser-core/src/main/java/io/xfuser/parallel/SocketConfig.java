package io.xfuser.parallel;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.parallel.OwnAddresses;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which rank this process is and where the ranks meet.
 *
 * @param rank this rank, from 0
 * @param size the number of ranks
 * @param localRank this rank among those of its machine
 * @param master where rank 0 listens
 * @param limits how long to wait
 * @param sharedMemory whether ranks of one machine may exchange large tensors through shared memory
 */
public record SocketConfig(
    int rank, int size, int localRank, Master master, Limits limits, boolean sharedMemory) {
  /** Tasks, and on how many nodes, as Slurm counts them: "4" or "4(x2)". */
  private static final Pattern TASKS_OF_NODES = Pattern.compile("(\\d{1,6})(?:\\(x(\\d{1,6})\\))?");

  /** Rejects a rank outside the world. */
  public SocketConfig {
    if (size < 1) {
      throw new ArgumentException("a world of " + size + " ranks");
    }
    if (rank < 0 || rank >= size) {
      throw new ArgumentException("rank " + rank + " is not in a world of " + size);
    }
  }

  /**
   * Checks that strangers are kept out.
   *
   * @throws ArgumentException if ranks would meet without a secret at an address that others can
   *     reach
   */
  public void requireSecret() {
    if (size > 1) {
      master.requireSecret();
    }
  }

  /**
   * Where rank 0 listens.
   *
   * @param address host name or address; {@code localhost} keeps all listeners off the network
   * @param port the first port to try
   * @param ports how many ports, from {@code port} on, may be tried
   * @param job tells worlds that try the same ports apart
   * @param secret what all ranks know; {@link Secret#NONE} will do at the loopback address alone
   * @param tls how connections are encrypted, if they are
   */
  public record Master(String address, int port, int ports, String job, Secret secret, Tls tls) {
    /** Of ranks that have no secret, and connections that are not encrypted. */
    public Master(String address, int port, int ports, String job) {
      this(address, port, ports, job, Secret.NONE, Tls.NONE);
    }

    /** Rejects ports that do not exist. */
    public Master {
      if (port < 1 || ports < 1 || port + ports - 1 > 65535) {
        throw new ArgumentException(
            "ports " + port + " to " + (port + ports - 1) + " are not within 1 to 65535");
      }
    }

    /** Address and first port as a URL has them: IPv6 in brackets. */
    public String place() {
      boolean bare = address.indexOf(':') >= 0 && !address.startsWith("[");
      return (bare ? "[" + address + "]" : address) + ":" + port;
    }

    /** Whether the ranks of this machine alone are meant. */
    public boolean local() {
      return OwnAddresses.isLoopback(address);
    }

    /** The same without a secret's bytes, which belong into no log. */
    @Override
    public String toString() {
      return "%s, %d ports, job %s, %s, %s".formatted(place(), ports, job, secret, tls);
    }

    private void requireSecret() {
      if (!local() && !secret.isGiven()) {
        throw new ArgumentException(
            "ranks that meet at %s, which is not the loopback address, need a secret: set"
                    .formatted(address)
                + " XFUSER_SECRET, or XFUSER_SECRET_FILE to a file that holds it, to the same on"
                + " all ranks (export XFUSER_SECRET=$(openssl rand -hex 32) makes one)");
      }
    }
  }

  /**
   * How long to wait.
   *
   * @param rendezvous for all ranks to join
   * @param silence for a sign of life before a rank counts as failed
   * @param message for a message of a rank that is alive
   */
  public record Limits(Duration rendezvous, Duration silence, Duration message) {
    /** 300 s, 20 s and 1,800 s. */
    public static Limits standard() {
      return new Limits(Duration.ofSeconds(300), Duration.ofSeconds(20), Duration.ofSeconds(1800));
    }
  }

  /**
   * Reads torchrun's variables {@code RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT};
   * where {@code RANK} is absent, Slurm's {@code SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID} instead
   * of the first three. {@code XFUSER_TIMEOUT} is the limit for a message in seconds, {@code
   * XFUSER_SHM=0} turns shared memory off.
   *
   * <p>{@code XFUSER_JOB_ID}, else torchrun's {@code TORCHELASTIC_RUN_ID}, else Slurm's {@code
   * SLURM_JOB_ID} and {@code SLURM_STEP_ID}, tells this run from others. {@code XFUSER_SECRET}, or
   * the file that {@code XFUSER_SECRET_FILE} names, is what all ranks know. {@code XFUSER_TLS_CERT,
   * XFUSER_TLS_KEY, XFUSER_TLS_CA} name the files of {@link Tls#of}.
   *
   * <p>Under torchrun the agent may itself listen on MASTER_PORT ({@code
   * TORCHELASTIC_USE_AGENT_STORE=True}); then rank 0 takes the first free port of the 16 after it.
   *
   * @throws ArgumentException if a variable is missing or makes no sense, or the secret cannot be
   *     read
   */
  public static SocketConfig fromEnvironment(Map<String, String> environment) {
    Variables variables = new Variables(environment);
    boolean slurm = !variables.has("RANK") && variables.has("SLURM_PROCID");
    int rank = variables.number(slurm ? "SLURM_PROCID" : "RANK");
    int size = variables.number(slurm ? "SLURM_NTASKS" : "WORLD_SIZE");
    int localRank = localRank(environment, rank);
    if (rank < 0 || rank >= size) {
      throw new ArgumentException(
          (slurm ? "SLURM_PROCID=" : "RANK=")
              + rank
              + " is not below "
              + (slurm ? "SLURM_NTASKS=" : "WORLD_SIZE=")
              + size);
    }
    int timeout = variables.number("XFUSER_TIMEOUT", (int) Limits.standard().message().toSeconds());
    if (timeout < 1) {
      throw new ArgumentException("XFUSER_TIMEOUT=" + timeout + " is not a time in seconds");
    }
    Limits limits =
        new Limits(
            Limits.standard().rendezvous(),
            Limits.standard().silence(),
            Duration.ofSeconds(timeout));
    return new SocketConfig(
        rank,
        size,
        localRank,
        master(variables),
        limits,
        !"0".equals(variables.text("XFUSER_SHM")));
  }

  /**
   * This rank's number among those of its machine: {@code LOCAL_RANK}, or under Slurm {@code
   * SLURM_LOCALID}, as {@link #fromEnvironment} reads them; {@code rank} where neither is set.
   *
   * @throws ArgumentException if the variable is no number from 0
   */
  public static int localRank(Map<String, String> environment, int rank) {
    Variables variables = new Variables(environment);
    boolean slurm = !variables.has("RANK") && variables.has("SLURM_PROCID");
    String name = slurm ? "SLURM_LOCALID" : "LOCAL_RANK";
    int number = variables.number(name, rank);
    if (number < 0) {
      throw new ArgumentException(name + "=" + number + " is not a number from 0");
    }
    return number;
  }

  /**
   * How many ranks this rank's machine has: {@code LOCAL_WORLD_SIZE}, else under Slurm what {@code
   * SLURM_STEP_TASKS_PER_NODE}, "4(x2),1" for example, says of node {@code SLURM_NODEID}; {@code
   * size} where neither is set.
   */
  public static int localSize(Map<String, String> environment, int size) {
    Variables variables = new Variables(environment);
    String local = variables.text("LOCAL_WORLD_SIZE");
    if (local == null && !variables.has("RANK") && variables.has("SLURM_NODEID")) {
      local = tasks(variables.text("SLURM_STEP_TASKS_PER_NODE"), variables.number("SLURM_NODEID"));
    }
    return local != null && local.matches("[1-9]\\d{0,5}") ? Integer.parseInt(local) : size;
  }

  /** The tasks of {@code node} in a list by node, in which "4(x2)" is 4 on each of two. */
  private static @Nullable String tasks(@Nullable String list, int node) {
    int first = 0;
    for (String part : list == null ? new String[0] : list.split(",", -1)) {
      Matcher nodes = TASKS_OF_NODES.matcher(part);
      if (!nodes.matches()) {
        return null;
      }
      first += nodes.group(2) == null ? 1 : Integer.parseInt(nodes.group(2));
      if (node < first) {
        return nodes.group(1);
      }
    }
    return null;
  }

  private static Master master(Variables variables) {
    String address = variables.text("MASTER_ADDR");
    if (address == null) {
      throw new ArgumentException("MASTER_ADDR is not set: it must name the machine of rank 0");
    }
    int port = variables.number("MASTER_PORT");
    boolean taken = "True".equalsIgnoreCase(variables.text("TORCHELASTIC_USE_AGENT_STORE"));
    int ports = taken ? Math.max(1, Math.min(16, 65535 - port)) : 1;
    return new Master(
        address,
        taken ? port + 1 : port,
        ports,
        port + "/" + job(variables),
        secret(variables),
        tls(variables));
  }

  private static Tls tls(Variables variables) {
    List<String> files =
        Stream.of("XFUSER_TLS_CERT", "XFUSER_TLS_KEY", "XFUSER_TLS_CA")
            .map(variables::text)
            .filter(Objects::nonNull)
            .toList();
    return switch (files.size()) {
      case 0 -> Tls.NONE;
      case 3 -> Tls.of(Path.of(files.get(0)), Path.of(files.get(1)), Path.of(files.get(2)));
      default ->
          throw new ArgumentException(
              "TLS needs XFUSER_TLS_CERT, XFUSER_TLS_KEY and XFUSER_TLS_CA, of which %d are set"
                  .formatted(files.size()));
    };
  }

  private static @Nullable String job(Variables variables) {
    for (String name : List.of("XFUSER_JOB_ID", "TORCHELASTIC_RUN_ID")) {
      if (variables.has(name)) {
        return variables.text(name);
      }
    }
    String step = variables.text("SLURM_STEP_ID"); // a job may run several at once
    return variables.text("SLURM_JOB_ID") + (step == null ? "" : "." + step);
  }

  private static Secret secret(Variables variables) {
    String text = variables.text("XFUSER_SECRET");
    String file = variables.text("XFUSER_SECRET_FILE");
    if (text != null && file != null) {
      throw new ArgumentException(
          "XFUSER_SECRET and XFUSER_SECRET_FILE are both set: one of them must be unset");
    }
    return file != null ? Secret.read(Path.of(file)) : text != null ? Secret.of(text) : Secret.NONE;
  }

  /** The environment, read with sentences for what is wrong in it. */
  private record Variables(Map<String, String> environment) {
    boolean has(String name) {
      return text(name) != null;
    }

    @Nullable String text(String name) {
      String value = environment.get(name);
      return value == null || value.isBlank() ? null : value.strip();
    }

    int number(String name, int absent) {
      return has(name) ? number(name) : absent;
    }

    int number(String name) {
      String value = text(name);
      if (value == null) {
        throw new ArgumentException(
            name + " is not set: start the ranks with scripts/xfrun, torchrun or srun");
      }
      try {
        return Integer.parseInt(value);
      } catch (NumberFormatException e) {
        throw new ArgumentException(name + "=" + value + " is not a number", e);
      }
    }
  }
}
