package io.xfuser.cli;

import io.xfuser.cli.runner.Runner;

/** The general runner: any supported model, on any layout; {@code scripts/xdit} starts it. */
public final class XDiT {
  private XDiT() {}

  /** Exits with 0, with 2 for bad input, with 1 for another failure. */
  public static void main(String[] argv) {
    System.exit(new Runner(XDiT.class).run(argv));
  }
}
