package io.xfuser.internal.kernels;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.xfuser.failure.PlatformException;
import io.xfuser.internal.natives.LoadedLibraries;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * Compiles {@code fused.cu} for a GPU; needs no GPU itself.
 *
 * @param nvrtc the compiler
 */
record KernelCompiler(Nvrtc nvrtc) {
  private static final String TEXT = "fused.cu";
  private static final String FAILS = "fused_kernels cannot be compiled: ";

  /** The compiler, and a library that it loads itself. */
  private static final String FILES = "libnvrtc{,-*}.so*";

  private static final String BUILT_IN = "builtins";

  /**
   * With the compiler that this process has loaded, that lies beside libtorch, or that the linker
   * finds.
   *
   * @throws PlatformException if there is none
   */
  static KernelCompiler find() {
    List<String> tried = new ArrayList<>();
    LoadedLibraries.file("nvrtc").ifPresent(tried::add);
    LoadedLibraries.file("torch_cuda").ifPresent(file -> tried.addAll(beside(Path.of(file))));
    tried.addAll(List.of("libnvrtc.so.12", "libnvrtc.so.13", "nvrtc"));
    for (String file : tried) {
      try {
        return new KernelCompiler(Native.load(file, Nvrtc.class, LoadedLibraries.OPENED));
      } catch (LinkageError e) {
        // the next one
      }
    }
    throw new PlatformException(
        FAILS
            + "CUDA's compiler libnvrtc is neither beside libtorch nor where LD_LIBRARY_PATH says;"
            + " pip's nvidia-cuda-nvrtc-cu12 has it");
  }

  /** In the folder of libtorch, as in DJL's natives, or in that of pip's package. */
  static List<String> beside(Path libtorch) {
    List<String> found = new ArrayList<>();
    for (String folder : List.of("", "../../nvidia/cuda_nvrtc/lib")) {
      Path place = libtorch.resolveSibling(folder).normalize();
      if (Files.isDirectory(place)) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(place, FILES)) {
          files.forEach(file -> found.add(file.toString()));
          found.removeIf(file -> file.contains(BUILT_IN));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return found;
  }

  static String text() {
    try (InputStream in = KernelCompiler.class.getResourceAsStream(TEXT)) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Code for the GPU's own instructions, or, if it is newer than the compiler, a text that its
   * driver compiles; either ends in a zero.
   *
   * @param architecture 90 for compute capability 9.0
   * @throws PlatformException if the compiler rejects it, with what it says
   */
  byte[] compile(String text, int architecture) {
    int known = known(architecture);
    boolean own = known == architecture;
    String[] options = {"-std=c++17", "-arch=" + (own ? "sm_" : "compute_") + known};
    PointerByReference program = new PointerByReference();
    require(nvrtc.nvrtcCreateProgram(program, text, TEXT, 0, null, null));
    try {
      Pointer made = program.getValue();
      int error = nvrtc.nvrtcCompileProgram(made, options.length, options);
      if (error != 0) {
        throw failure(error, ": " + log(made));
      }
      long[] bytes = new long[1];
      require(own ? nvrtc.nvrtcGetCUBINSize(made, bytes) : nvrtc.nvrtcGetPTXSize(made, bytes));
      byte[] code = new byte[Math.toIntExact(bytes[0])];
      require(own ? nvrtc.nvrtcGetCUBIN(made, code) : nvrtc.nvrtcGetPTX(made, code));
      return Arrays.copyOf(code, code.length + 1);
    } finally {
      int unused = nvrtc.nvrtcDestroyProgram(program);
    }
  }

  /** The latest architecture that the compiler knows, up to this one. */
  private int known(int architecture) {
    int[] count = new int[1];
    require(nvrtc.nvrtcGetNumSupportedArchs(count));
    int[] architectures = new int[count[0]];
    require(nvrtc.nvrtcGetSupportedArchs(architectures));
    OptionalInt latest = Arrays.stream(architectures).filter(it -> it <= architecture).max();
    return latest.orElseThrow(
        () ->
            new PlatformException(
                FAILS
                    + "the GPU's architecture is %d, but libnvrtc compiles for %s"
                        .formatted(architecture, Arrays.toString(architectures))));
  }

  private String log(Pointer program) {
    long[] bytes = new long[1];
    require(nvrtc.nvrtcGetProgramLogSize(program, bytes));
    byte[] log = new byte[Math.toIntExact(bytes[0])];
    require(nvrtc.nvrtcGetProgramLog(program, log));
    return Native.toString(log).strip();
  }

  private void require(int error) {
    if (error != 0) {
      throw failure(error, "");
    }
  }

  private PlatformException failure(int error, String more) {
    return new PlatformException(FAILS + nvrtc.nvrtcGetErrorString(error) + more);
  }
}
