package io.xfuser.internal.natives;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What libtorch says on the standard error. {@code TORCH_CPP_LOG_LEVEL} would choose that, but only
 * Python's torch reads it; so the variable that it sets is set here.
 */
public final class TorchWarnings {
  /** Of c10, an int: 0 shows all, 1 warnings and errors, 2 errors. */
  private static final String LEVEL = "FLAGS_caffe2_log_level";

  private static final int ERRORS = 2;

  private TorchWarnings() {}

  /**
   * Does {@code something} without libtorch's warnings, those of other threads in that time too.
   * They are shown where the variable is not found.
   */
  public static <T> T without(Supplier<T> something) {
    Optional<Pointer> level = level();
    if (level.isEmpty()) {
      return something.get();
    }
    int before = level.get().getInt(0);
    level.get().setInt(0, Math.max(before, ERRORS));
    try {
      return something.get();
    } finally {
      level.get().setInt(0, before);
    }
  }

  /** The variable, of the c10 that this process has loaded. */
  static Optional<Pointer> level() {
    try {
      return LoadedLibraries.file("c10")
          .map(
              file ->
                  NativeLibrary.getInstance(file, LoadedLibraries.OPENED)
                      .getGlobalVariableAddress(LEVEL));
    } catch (LinkageError e) {
      return Optional.empty(); // no such variable
    }
  }
}
