package io.xfuser.internal.natives;

/**
 * The pages that libtorch's memory on the CPU lies in. Left to itself, the system hands out a large
 * activation in pages of 4 KiB, each by an interruption of its own, every time that one is made. On
 * Linux libtorch asks for pages of 2 MiB for what is at least as large where {@value #ASKS} is 1
 * (docs/performance.md); a system that has none to give, or whose owner has switched them off,
 * gives small ones as before.
 */
public final class HugePages {
  private static final String ASKS = "THP_MEM_ALLOC_ENABLE";

  private HugePages() {}

  /**
   * Has libtorch ask for them, unless the environment says whether it should. To be called before
   * libtorch is loaded, because it reads the environment once, with its first tensor.
   */
  public static void prefer() {
    if (ProcessEnvironment.isBlank(ASKS)) {
      ProcessEnvironment.set(ASKS, "1");
    }
  }
}
