package io.xfuser.torchscript;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;

/**
 * Where a tensor's elements are. {@code JniUtils.getByteBuffer} copies a tensor on a GPU to the
 * host; DJL's function that does not is private to its package, and a class in that package could
 * not be on a module path.
 */
final class TensorAddress {
  private static final MethodHandle BUFFER = find();

  private TensorAddress() {}

  /** A direct buffer over a contiguous tensor of less than 2 GiB; not to be read on a GPU. */
  static ByteBuffer of(PtNDArray tensor) {
    try {
      return (ByteBuffer) BUFFER.invokeExact((long) tensor.getHandle());
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e); // it declares none
    }
  }

  private static MethodHandle find() {
    try {
      MethodHandles.Lookup djl =
          MethodHandles.privateLookupIn(JniUtils.class, MethodHandles.lookup());
      Class<?> library = djl.findClass(JniUtils.class.getPackageName() + ".PyTorchLibrary");
      MethodType type = MethodType.methodType(ByteBuffer.class, long.class);
      return djl.findVirtual(library, "torchDirectByteBuffer", type)
          .bindTo(djl.findStaticVarHandle(library, "LIB", library).get());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("another version of DJL than xfuser was built with", e);
    }
  }
}
