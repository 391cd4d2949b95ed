package io.xfuser.internal.natives;

import com.sun.jna.NativeLibrary;
import java.util.OptionalLong;

/** The cuDNN that libtorch has loaded. TorchScript cannot tell its version, so it is asked. */
public final class Cudnn {
  private Cudnn() {}

  /** Its version as cuDNN 9 counts it, 91501 for 9.15.1; nothing where there is none. */
  public static OptionalLong version() {
    return CudnnVersion.VERSION;
  }

  private static final class CudnnVersion {
    static final OptionalLong VERSION = ask();

    private static OptionalLong ask() {
      try {
        return LoadedLibraries.file("cudnn").stream().mapToLong(Cudnn::version).findFirst();
      } catch (LinkageError e) {
        return OptionalLong.empty(); // no such function
      }
    }
  }

  static long version(String file) {
    return NativeLibrary.getInstance(file, LoadedLibraries.OPENED)
        .getFunction("cudnnGetVersion")
        .invokeLong(new Object[0]);
  }

  /** 9.15.1 of 91501. */
  public static String name(long version) {
    return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
  }
}
