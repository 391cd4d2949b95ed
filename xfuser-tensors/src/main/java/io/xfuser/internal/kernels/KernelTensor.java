package io.xfuser.internal.kernels;

import java.util.List;

/**
 * Where a tensor's elements are.
 *
 * @param address of the first
 * @param type libtorch's number of their type
 * @param deviceType libtorch's number of the kind of device: 0 for CPUs, 1 for CUDA
 * @param device which of these
 * @param sizes of its dimensions
 * @param strides of its dimensions, in elements
 */
public record KernelTensor(
    long address, int type, int deviceType, int device, List<Long> sizes, List<Long> strides) {
  /** Keeps what it is given. */
  public KernelTensor {
    sizes = List.copyOf(sizes);
    strides = List.copyOf(strides);
  }

  int dimensions() {
    return sizes.size();
  }

  long size(int dimension) {
    return sizes.get(dimension);
  }

  /** 0 where there is but one element to go to, whose distance libtorch leaves open. */
  long stride(int dimension) {
    return size(dimension) == 1 ? 0 : strides.get(dimension);
  }

  long elements() {
    return sizes.stream().reduce(1L, (a, b) -> a * b);
  }

  /** Whether the elements of the dimensions from {@code first} on lie one after the other. */
  boolean isDenseFrom(int first) {
    long distance = 1;
    for (int i = dimensions() - 1; i >= first; i--) {
      if (size(i) != 1 && stride(i) != distance) {
        return false;
      }
      distance *= size(i);
    }
    return true;
  }
}
