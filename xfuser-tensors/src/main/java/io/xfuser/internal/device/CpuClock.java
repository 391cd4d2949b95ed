package io.xfuser.internal.device;

/** What was computed on the CPU is done. */
final class CpuClock implements DeviceClock {
  private record Now(long nanos) implements Mark {
    @Override
    public void await() {
      // it has been
    }
  }

  @Override
  public Mark mark() {
    return new Now(System.nanoTime());
  }

  @Override
  public boolean enqueues() {
    return false;
  }

  @Override
  public void close() {
    // marks are numbers
  }
}
