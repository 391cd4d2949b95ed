package io.xfuser.torchscript;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * What libtorch must be told once per process or thread, and raw access to the memory of a tensor.
 */
public final class Torch {
  private static final Program TENSORS = Program.load(Torch.class, "tensors.py");

  /** Bytes of a buffer of {@link #memoryParts}: far below what a ByteBuffer addresses. */
  private static final long PART_BYTES = 1L << 30;

  private Torch() {}

  /**
   * A manager with no parent; the caller closes it. It may own tensors of any device; those that it
   * creates itself are on the CPU.
   */
  public static NDManager newManager() {
    return Libtorch.engine().newBaseManager(Device.cpu());
  }

  /**
   * Prepares the calling thread to compute: {@code threads} threads per operation. The setting
   * belongs to the calling thread, which takes over the last one set anywhere if it has none; so
   * this is the first call on each thread that computes.
   */
  public static void prepareThread(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("at least one thread is needed, got " + threads);
    }
    Libtorch.engine();
    JniUtils.setNumThreads(threads);
  }

  /** {@code tensor} with elements of {@code type}: itself where it has them, else a copy. */
  public static NDArray cast(NDManager owner, NDArray tensor, ElementType type) {
    return TENSORS.call(owner, "cast", tensor, type.scalarType());
  }

  /** A tensor of undefined content on the CPU. */
  public static NDArray empty(NDManager owner, ElementType type, long... shape) {
    return TENSORS.call(owner, "empty", shape, type.scalarType());
  }

  /** A tensor of undefined content on {@code device}. */
  public static NDArray empty(NDManager owner, Device device, ElementType type, long... shape) {
    return TENSORS.call(owner, "empty_on", shape, type.scalarType(), name(device));
  }

  /** {@code tensor} on {@code device}: itself where it is there, else a copy. */
  public static NDArray to(NDManager owner, NDArray tensor, Device device) {
    return tensor.getDevice().equals(device)
        ? alias(owner, tensor)
        : TENSORS.call(owner, "to_device", tensor, name(device));
  }

  /** Whether the CPU multiplies {@code type} in fp32, beside which widening factors is cheap. */
  public static boolean multipliesInFloat32(ElementType type) {
    long multiplied = TENSORS.callLong("multiplied_as", type.scalarType());
    return multiplied == ElementType.FLOAT32.scalarType();
  }

  /** Whether {@code tensor} is on a GPU, which one without memory is not. */
  public static boolean onGpu(NDArray tensor) {
    return TENSORS.callLong("on_gpu", tensor) != 0;
  }

  /** The device as torch names it: {@code cpu}, {@code cuda:0}. */
  public static String name(Device device) {
    return device.isGpu() ? "cuda:" + device.getDeviceId() : "cpu";
  }

  /** The elements of a contiguous tensor in another shape: a view. */
  public static NDArray view(NDManager owner, NDArray tensor, long... shape) {
    return TENSORS.call(owner, "view", tensor, shape);
  }

  /** {@code tensor} itself where it is contiguous, else a contiguous copy. */
  public static NDArray contiguous(NDManager owner, NDArray tensor) {
    return TENSORS.call(owner, "contiguous", tensor);
  }

  /** All elements of a contiguous tensor in one dimension: a view. */
  public static NDArray flat(NDManager owner, NDArray tensor) {
    return TENSORS.call(owner, "flat", tensor);
  }

  /** {@code tensors} joined along {@code dim}. */
  public static NDArray concat(NDManager owner, List<NDArray> tensors, int dim) {
    return TENSORS.call(owner, "concat", tensors, dim);
  }

  /** The elements {@code from} (inclusive) to {@code to} (exclusive) along {@code dim}: a view. */
  public static NDArray slice(NDManager owner, NDArray tensor, int dim, long from, long to) {
    return TENSORS.call(owner, "slice", tensor, dim, from, to);
  }

  /** The given rows of dimension 0, in their order; a row may come several times. */
  public static NDArray rows(NDManager owner, NDArray tensor, long... rows) {
    return TENSORS.call(owner, "rows", tensor, rows);
  }

  /** The same elements in memory of their own, contiguous. */
  public static NDArray copy(NDManager owner, NDArray tensor) {
    return TENSORS.call(owner, "copy", tensor);
  }

  /** Zeros of the same shape and type. */
  public static NDArray zerosLike(NDManager owner, NDArray tensor) {
    return TENSORS.call(owner, "zeros_like", tensor);
  }

  /** A new handle on {@code tensor}'s memory with another owner; see {@link SharedTensor}. */
  public static NDArray alias(NDManager owner, NDArray tensor) {
    return SharedTensor.of(tensor).receive(owner);
  }

  /**
   * The bytes of all tensors that {@code owner} and the managers below it own, those with two
   * handles counted twice.
   */
  public static long openBytes(NDManager owner) {
    return owner.getManagedArrays().stream().mapToLong(ElementType::bytesOf).sum();
  }

  /**
   * The memory of a contiguous CPU tensor, not copied; writes go to the tensor. The buffer is valid
   * only as long as the tensor is open.
   *
   * @throws IllegalArgumentException for 2 GiB and more, which a ByteBuffer cannot address
   */
  public static ByteBuffer memory(NDArray tensor) {
    long bytes = ElementType.bytesOf(tensor);
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("a buffer cannot address a tensor of " + bytes + " bytes");
    }
    return JniUtils.getByteBuffer((PtNDArray) tensor, true).order(ByteOrder.nativeOrder());
  }

  /**
   * A buffer that begins where the elements of a contiguous tensor do, on whatever device and
   * however many they are: an address for native functions. Its own length means nothing, and where
   * the tensor is not on the CPU it must not be read. Valid only as long as the tensor is open.
   *
   * @throws IllegalArgumentException if there are no elements
   */
  public static ByteBuffer address(NDArray tensor) {
    if (tensor.size() == 0) {
      throw new IllegalArgumentException("a tensor without elements has no address");
    }
    try (NDManager scope = newManager()) { // owns the view, not the memory
      NDArray first = slice(scope, flat(scope, tensor), 0, 0, 1); // past 2 GiB no buffer has room
      return TensorAddress.of((PtNDArray) first);
    }
  }

  /**
   * The memory of a contiguous CPU tensor of any length, in buffers that follow one another; valid
   * as {@link #memory} is. None for a tensor without elements.
   */
  public static List<ByteBuffer> memoryParts(NDArray tensor) {
    return memoryParts(tensor, PART_BYTES);
  }

  /** The same in buffers of {@code partBytes}, the last one perhaps smaller. */
  public static List<ByteBuffer> memoryParts(NDArray tensor, long partBytes) {
    long bytes = ElementType.bytesOf(tensor);
    if (bytes == 0) {
      return List.of();
    } else if (bytes <= partBytes) {
      return List.of(memory(tensor));
    }
    long step = partBytes / ElementType.of(tensor).bytes();
    List<ByteBuffer> parts = new ArrayList<>();
    try (NDManager scope = newManager()) { // owns the views, not the memory
      NDArray flat = flat(scope, tensor);
      for (long from = 0; from < flat.size(); from += step) {
        long to = Math.min(flat.size(), from + step);
        parts.add(memory(slice(scope, flat, 0, from, to)));
      }
    }
    return parts;
  }
}
