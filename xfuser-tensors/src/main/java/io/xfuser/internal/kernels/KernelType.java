package io.xfuser.internal.kernels;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** An element type, with libtorch's number. */
enum KernelType {
  FLOAT32(6, 4),
  FLOAT16(5, 2),
  BFLOAT16(15, 2);

  private final int number;
  private final int bytes;

  KernelType(int number, int bytes) {
    this.number = number;
    this.bytes = bytes;
  }

  /** Elements of 16 bytes. */
  int perRun() {
    return 16 / bytes;
  }

  static Optional<KernelType> of(KernelTensor... tensors) {
    return Arrays.stream(values())
        .filter(type -> Arrays.stream(tensors).allMatch(type::is))
        .findFirst();
  }

  /**
   * Whether {@code x}, and what lies so many elements behind it, begin at multiples of 16 bytes.
   */
  boolean isAligned(KernelTensor x, long stride) {
    return x.address() % 16 == 0 && stride * bytes % 16 == 0;
  }

  boolean is(KernelTensor x) {
    return x.type() == number;
  }

  /** As kernels' names end: {@code bfloat16}. */
  String suffix() {
    return name().toLowerCase(Locale.ROOT);
  }
}
