package io.xfuser.torchscript;

import io.xfuser.failure.Reason;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What libtorch says of a failure, with the reason first: its own text begins with a traceback. */
final class LibtorchError {
  /** The line after the traceback; before it the kind of a Python exception. */
  private static final Pattern RAISED = Pattern.compile("(?m)^(?:[A-Za-z.]*Error): (.+)$");

  /** {@code c10/core/impl/alloc_cpu.cpp}, {@code c10/cuda/CUDACachingAllocator.cpp}. */
  private static final Pattern MEMORY =
      Pattern.compile(
          "can't allocate memory: you tried to allocate (\\d+) bytes"
              + "|CUDA out of memory\\. Tried to allocate ([\\d.]+ \\w+)");

  private LibtorchError() {}

  /** {@code what} failed: a line with the reason, and below it all that libtorch said. */
  static IllegalStateException of(String what, RuntimeException failure) {
    String text = String.valueOf(failure.getMessage()).strip();
    String reason = reason(text);
    return new IllegalStateException(
        what
            + ": "
            + (reason.isEmpty() ? Reason.of(failure) : reason)
            + (text.contains("\n") ? "\n" + text : ""),
        failure);
  }

  private static String reason(String text) {
    Matcher memory = MEMORY.matcher(text);
    if (memory.find()) {
      return memory.group(1) == null
          ? "out of memory on the GPU, " + memory.group(2) + " more were needed"
          : "out of memory, " + memory.group(1) + " bytes more were needed";
    }
    Matcher raised = RAISED.matcher(text);
    String last = "";
    while (raised.find()) {
      last = raised.group(1).strip();
    }
    return last;
  }
}
