package io.xfuser.attention;

import io.xfuser.torchscript.Program;

/** The arithmetic of this package. */
final class Kernels {
  static final Program ATTENTION = Program.load(Kernels.class, "attention.py");

  private Kernels() {}
}
