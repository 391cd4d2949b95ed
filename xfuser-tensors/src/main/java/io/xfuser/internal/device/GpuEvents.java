package io.xfuser.internal.device;

import ai.djl.pytorch.jni.IValue;
import io.xfuser.torchscript.Program;

/**
 * libtorch's own events, in the current stream of one GPU.
 *
 * @param gpu its index
 */
record GpuEvents(int gpu) implements GpuClock.Events<IValue> {
  /** Of classes that only a libtorch with CUDA has, and compiled by the first call. */
  private static final Program PROGRAM = Program.load(GpuEvents.class, "gpu_events.py");

  @Override
  public IValue record() {
    return PROGRAM.callValue("record", gpu);
  }

  @Override
  public void await(IValue event) {
    long unused = PROGRAM.callLong("synchronize", event);
  }

  @Override
  public double millis(IValue from, IValue to) {
    return PROGRAM.callDouble("millis", from, to);
  }

  @Override
  public void close(IValue event) {
    event.close();
  }
}
