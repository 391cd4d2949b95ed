package io.xfuser.torchscript;

/**
 * The functions that every program may call. Where libtorch was built with oneDNN, matrix products
 * are fused with what follows them; elsewhere the same functions are made of plain operators.
 */
final class Prelude {
  private static final String TEXT = choose();

  private Prelude() {}

  static String text() {
    return TEXT;
  }

  private static String choose() {
    String common = ModuleArchive.read(Prelude.class, "prelude.py");
    String oneDnn = ModuleArchive.read(Prelude.class, "linear_onednn.py");
    try {
      Program.compile("linear_onednn.py", oneDnn);
      return common + "\n" + oneDnn + "\n";
    } catch (IllegalStateException e) {
      return common + "\n" + ModuleArchive.read(Prelude.class, "linear_aten.py") + "\n";
    }
  }
}
