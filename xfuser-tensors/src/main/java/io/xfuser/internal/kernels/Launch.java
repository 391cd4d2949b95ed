package io.xfuser.internal.kernels;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.List;

/**
 * One start of a kernel.
 *
 * @param kernel its name, with the element type: {@code modulate_bfloat16}
 * @param blocks of its grid, which has one dimension, at least 1
 * @param threads of each block, whole warps
 * @param arguments in order: Long for a pointer or a {@code long long}, Integer for an {@code int},
 *     Float for a {@code float}
 */
public record Launch(String kernel, int blocks, int threads, List<Number> arguments) {
  /** Keeps what it is given. */
  public Launch {
    arguments = List.copyOf(arguments);
  }

  /** An array of pointers to the arguments, as {@code cuLaunchKernel} reads them. */
  public Pointer pointers() {
    long slots = 8L * arguments.size();
    Memory memory = new Memory(2 * slots);
    for (int i = 0; i < arguments.size(); i++) {
      long slot = 8L * i;
      Number argument = arguments.get(i);
      if (argument instanceof Integer number) {
        memory.setInt(slot, number);
      } else if (argument instanceof Float number) {
        memory.setFloat(slot, number);
      } else {
        memory.setLong(slot, argument.longValue());
      }
      memory.setPointer(slots + slot, memory.share(slot));
    }
    return memory.share(slots); // keeps all of it
  }
}
