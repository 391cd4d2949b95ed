package io.xfuser.internal.kernels;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.xfuser.internal.failure.Retried;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.opentest4j.TestAbortedException;

/**
 * Runs {@code fused.cu} on the CPU, compiled by this machine's C++ compiler with {@code
 * cpu_grid.h}, and keeps what was launched.
 */
public final class CpuLauncher implements Launcher {
  private static final List<String> COMPILERS = List.of("c++", "g++", "clang++");
  private static final Retried<Optional<Kernels>> KERNELS = new Retried<>(CpuLauncher::compile);

  interface Kernels extends Library {
    int launch_on_cpu(String kernel, int blocks, int threads, Pointer arguments);
  }

  private final Kernels kernels;
  private final List<Launch> launched = new CopyOnWriteArrayList<>();

  /** Ends the calling test as skipped where there is no compiler. */
  public CpuLauncher() {
    kernels =
        KERNELS
            .get()
            .orElseThrow(
                () -> new TestAbortedException("no C++ compiler here: none of " + COMPILERS));
  }

  /** All launches, in order. */
  public List<Launch> launched() {
    return launched;
  }

  @Override
  public boolean reaches(KernelTensor tensor) {
    return tensor.deviceType() == 0;
  }

  @Override
  public void launch(Launch launch) {
    launched.add(launch);
    Pointer arguments = launch.pointers();
    int error =
        kernels.launch_on_cpu(launch.kernel(), launch.blocks(), launch.threads(), arguments);
    if (error != 0) {
      throw new IllegalStateException("there is no kernel " + launch.kernel());
    }
  }

  /** What {@code task} gives on a thread that has kernels by {@code launcher}. */
  static <T> T with(Launcher launcher, Supplier<T> task) {
    FusedKernels kernels = new FusedKernels(launcher);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      return CompletableFuture.supplyAsync(
              () -> {
                kernels.enter();
                return task.get();
              },
              thread)
          .join();
    } finally {
      thread.shutdown();
    }
  }

  private static Optional<Kernels> compile() {
    try {
      Path folder = Files.createTempDirectory("fused");
      folder.toFile().deleteOnExit();
      copy("fused.cu", folder);
      copy("cpu_grid.h", folder);
      Path program = copy("cpu_launch.cpp", folder);
      Path library = folder.resolve("libfused.so");
      library.toFile().deleteOnExit();
      for (String compiler : COMPILERS) {
        if (compiles(compiler, program, library)) {
          return Optional.of(Native.load(library.toString(), Kernels.class));
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path copy(String resource, Path folder) throws IOException {
    Path file = folder.resolve(resource);
    try (InputStream in = FusedKernels.class.getResourceAsStream(resource)) {
      Files.copy(in, file);
    }
    file.toFile().deleteOnExit();
    return file;
  }

  /** False if there is no such compiler; what one rejects is a failure. */
  private static boolean compiles(String compiler, Path program, Path library) throws IOException {
    List<String> command =
        List.of(
            compiler,
            "-std=c++17",
            "-O1",
            "-Wall",
            "-shared",
            "-fPIC",
            "-o",
            library.toString(),
            program.toString());
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      return false;
    }
    byte[] said = process.getInputStream().readAllBytes();
    if (process.onExit().join().exitValue() != 0) {
      throw new IllegalStateException(
          compiler + " rejects the kernels: " + new String(said, StandardCharsets.UTF_8));
    }
    return true;
  }
}
