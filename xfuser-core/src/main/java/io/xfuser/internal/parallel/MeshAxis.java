package io.xfuser.internal.parallel;

/** The axes of the {@link DeviceMesh}, innermost (ranks side by side, fastest link) first. */
public enum MeshAxis {
  TENSOR(Channel.TENSOR),
  ULYSSES(Channel.ULYSSES),
  RING(Channel.RING),
  DISTRIFUSION(Channel.DISTRIFUSION),
  PIPELINE(Channel.PIPEFUSION),
  CFG(Channel.CFG),
  DATA(Channel.DATA);

  private final Channel channel;

  MeshAxis(Channel channel) {
    this.channel = channel;
  }

  /** The channel that messages along this axis take. */
  public Channel channel() {
    return channel;
  }
}
