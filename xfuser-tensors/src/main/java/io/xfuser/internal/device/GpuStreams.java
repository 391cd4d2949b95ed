package io.xfuser.internal.device;

import ai.djl.pytorch.jni.IValue;
import io.xfuser.internal.failure.Retried;
import io.xfuser.torchscript.Program;

/** libtorch's own streams and events of one GPU. */
final class GpuStreams implements CopyStream.Streams<IValue> {
  /** Of classes that only a libtorch with CUDA has, and compiled by the first call. */
  private static final Program PROGRAM = Program.load(GpuStreams.class, "copy_stream.py");

  private final int gpu;
  private final Retried<IValue> stream; // one of libtorch's, which it keeps for ever

  GpuStreams(int gpu) {
    this.gpu = gpu;
    this.stream = new Retried<>(() -> PROGRAM.callValue("stream", gpu));
  }

  @Override
  public void enter() {
    long unused = PROGRAM.callLong("enter", stream.get());
  }

  @Override
  public void leave() {
    long unused = PROGRAM.callLong("leave", gpu);
  }

  @Override
  public IValue record() {
    return PROGRAM.callValue("record", gpu);
  }

  @Override
  public void await(IValue event) {
    long unused = PROGRAM.callLong("wait", gpu, event);
  }

  @Override
  public void close(IValue event) {
    event.close();
  }
}
