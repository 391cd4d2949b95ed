package io.xfuser.torchscript;

import ai.djl.pytorch.jni.IValue;

/**
 * libtorch's own events, in the current stream of one GPU.
 *
 * @param gpu its index
 */
record GpuEvents(int gpu) implements GpuClock.Events<IValue> {
  /** Of classes that only a libtorch with CUDA has, so loaded only where there is a GPU. */
  private static final class Loaded {
    static final Program PROGRAM =
        Program.compile("gpu_events.py", ModuleArchive.read(GpuEvents.class, "gpu_events.py"));
  }

  @Override
  public IValue record() {
    return Loaded.PROGRAM.callValue("record", gpu);
  }

  @Override
  public void await(IValue event) {
    long unused = Loaded.PROGRAM.callLong("synchronize", event);
  }

  @Override
  public double millis(IValue from, IValue to) {
    return Loaded.PROGRAM.callDouble("millis", from, to);
  }

  @Override
  public void close(IValue event) {
    event.close();
  }
}
