package io.xfuser.config;

/** What happens to weights on a GPU while they are not in use. */
public enum Offload {
  /** They stay there. */
  NONE(""),

  /** Text encoders, transformer and VAE are on the GPU one after another. */
  MODEL("--enable_model_cpu_offload"),

  /** The layers of each are on the GPU one after another. */
  SEQUENTIAL("--enable_sequential_cpu_offload");

  private final String flag;

  Offload(String flag) {
    this.flag = flag;
  }

  /** The flag that asks for it. */
  public String flag() {
    return flag;
  }
}
