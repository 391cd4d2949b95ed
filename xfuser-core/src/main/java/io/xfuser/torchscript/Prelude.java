package io.xfuser.torchscript;

/**
 * The functions that every program may call. Where libtorch was built with oneDNN, matrix products
 * are fused with what follows them; elsewhere the same functions are made of plain operators. Which
 * types they are computed in, this machine's CPU decides.
 */
final class Prelude {
  private static final String TEXT = choose();

  private Prelude() {}

  static String text() {
    return TEXT;
  }

  /** The text with {@code products} for matrix products and {@code precision} for its types. */
  static String text(String products, HalfPrecision precision) {
    return ModuleArchive.read(Prelude.class, "prelude.py")
        + "\n"
        + products
        + "\n"
        + precision.text()
        + "\n";
  }

  private static String choose() {
    return text(products(), HalfPrecision.ofThisMachine());
  }

  static String products() {
    String oneDnn = ModuleArchive.read(Prelude.class, "linear_onednn.py");
    try {
      Program.compile("linear_onednn.py", oneDnn);
      return oneDnn;
    } catch (IllegalStateException e) {
      return ModuleArchive.read(Prelude.class, "linear_aten.py");
    }
  }
}
