package io.xfuser.cli;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * What the launcher's tests start: the first argument says what the rank does; the second, where
 * there is one, which rank does it while the others wait.
 */
public final class RankProgram {
  static final List<String> VARIABLES =
      List.of(
          "RANK",
          "WORLD_SIZE",
          "LOCAL_RANK",
          "LOCAL_WORLD_SIZE",
          "MASTER_ADDR",
          "MASTER_PORT",
          "OMP_NUM_THREADS");

  private RankProgram() {}

  /** Does what {@code arguments} say. */
  public static void main(String[] arguments) throws Exception {
    String rank = Objects.requireNonNull(System.getenv("RANK"));
    if (arguments.length > 1 && !arguments[0].equals("told") && !arguments[1].equals(rank)) {
      TimeUnit.SECONDS.sleep(60);
    }
    switch (arguments[0]) {
      case "told" -> {
        VARIABLES.forEach(name -> System.out.println(name + "=" + System.getenv(name)));
        System.out.println("job " + System.getenv("XFUSER_JOB_ID"));
        System.out.println("secret " + System.getenv("XFUSER_SECRET"));
        System.out.println("property=" + System.getProperty("rank.program"));
        System.out.println(String.join("|", arguments));
        lines(rank);
      }
      case "arguments" -> System.out.println(String.join("|", arguments));
      case "usage" -> exit(2, "--height 7 is not a multiple of 8");
      case "own-usage" -> exit(2, "rank " + rank + " cannot read its file");
      case "fail" -> {
        for (int line = 1; line <= 30; line++) {
          System.err.println("line " + line);
        }
        System.exit(7);
      }
      case "die" -> {
        System.out.println("about to die");
        send("-KILL", ProcessHandle.current().pid());
      }
      case "stubborn" -> {
        Runtime.getRuntime().addShutdownHook(new Thread(RankProgram::waitForEver));
        System.out.println("pid " + ProcessHandle.current().pid());
        waitForEver();
      }
      case "wait" -> {
        System.out.println("pid " + ProcessHandle.current().pid());
        waitForEver();
      }
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** Sends {@code signal} to process {@code pid}. */
  public static void send(String signal, long pid) throws IOException, InterruptedException {
    new ProcessBuilder("kill", signal, Long.toString(pid)).inheritIO().start().waitFor();
  }

  /** Rank 0 is silent: it writes to the launcher's own stream, where its pieces may meet lines. */
  private static void lines(String rank) {
    if (rank.equals("0")) {
      return;
    }
    for (int line = 0; line < 200; line++) {
      System.out.print("line " + line);
      System.out.flush();
      System.out.println(" of " + rank + " ends");
    }
  }

  private static void exit(int status, String sentence) {
    System.err.println(sentence);
    System.exit(status);
  }

  private static void waitForEver() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
