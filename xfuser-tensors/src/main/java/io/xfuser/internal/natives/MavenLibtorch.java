package io.xfuser.internal.natives;

import ai.djl.util.ClassLoaderUtils;
import ai.djl.util.Utils;
import io.xfuser.failure.PlatformException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A libtorch with CUDA from the class path: {@code org.bytedeco:pytorch} with the classifier {@code
 * linux-x86_64-gpu}, and the libraries it needs from {@code org.bytedeco:openblas} and {@code
 * cuda-redist} with its neighbours. DJL's native library for CUDA fits it, but wants a folder of
 * files, all of which it loads: so exactly those that libtorch needs are unpacked, once, beside
 * what DJL unpacks itself.
 *
 * @param resources finds a file of the class path, or none
 * @param cache a folder, made when needed
 */
public record MavenLibtorch(Function<String, @Nullable URL> resources, Path cache) {
  static final String PATH = "PYTORCH_LIBRARY_PATH";
  static final String FLAVOR = "PYTORCH_FLAVOR";

  /** The release that DJL's native library fits: libtorch 2.7.1. */
  private static final String VERSION = "2.7.1-1.5.12";

  private static final String CUDA = "12.9-9.10-1.5.12";
  private static final String TORCH = "org/bytedeco/pytorch/linux-x86_64-gpu/";

  /** What libtorch needs of each artifact, all of it in {@code org/bytedeco}. */
  private static final Map<String, List<String>> LIBRARIES =
      new TreeMap<>(
          Map.of(
              "pytorch:" + VERSION + ":linux-x86_64-gpu",
              List.of(
                  "libc10.so",
                  "libc10_cuda.so",
                  "libgomp.so.1",
                  "libtorch.so",
                  "libtorch_cpu.so",
                  "libtorch_cuda.so",
                  "libtorch_cuda_linalg.so"),
              "openblas:0.3.30-1.5.12:linux-x86_64",
              List.of("libgfortran.so.5", "libopenblas.so.0", "libquadmath.so.0"),
              "cuda-redist:" + CUDA + ":linux-x86_64",
              List.of(
                  "libcudart.so.12",
                  "libcufft.so.11",
                  "libcufile.so.0",
                  "libcupti.so.12",
                  "libcurand.so.10",
                  "libnvJitLink.so.12",
                  "libnvrtc-builtins.so.12.9",
                  "libnvrtc.so.12"),
              "cuda-redist-cublas:" + CUDA + ":linux-x86_64",
              List.of("libcublas.so.12", "libcublasLt.so.12"),
              "cuda-redist-cudnn:" + CUDA + ":linux-x86_64",
              List.of(
                  "libcudnn.so.9",
                  "libcudnn_adv.so.9",
                  "libcudnn_cnn.so.9",
                  "libcudnn_engines_precompiled.so.9",
                  "libcudnn_engines_runtime_compiled.so.9",
                  "libcudnn_graph.so.9",
                  "libcudnn_heuristic.so.9",
                  "libcudnn_ops.so.9"),
              "cuda-redist-cusolver:" + CUDA + ":linux-x86_64",
              List.of("libcusolver.so.11"),
              "cuda-redist-cusparse:" + CUDA + ":linux-x86_64",
              List.of("libcusparse.so.12")));

  /**
   * Lets DJL take the libtorch of the class path, if there is one and {@code PYTORCH_LIBRARY_PATH}
   * names no other. To be called before DJL's engine is started.
   *
   * @throws PlatformException if a library that it needs is missing, or it cannot be unpacked
   */
  public static synchronized void prefer() {
    boolean fits =
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64");
    if (fits && Utils.getEnvOrSystemProperty(PATH) == null) {
      MavenLibtorch found =
          new MavenLibtorch(
              ClassLoaderUtils.getContextClassLoader()::getResource,
              Utils.getEngineCacheDir("pytorch"));
      found
          .folder()
          .ifPresent(
              folder -> tell(folder, System.getProperties(), Utils.getEnvOrSystemProperty(FLAVOR)));
    }
  }

  /** Writes down where libtorch is, and that it is one for CUDA unless a {@code flavor} is set. */
  static void tell(Path folder, Properties properties, @Nullable String flavor) {
    properties.setProperty(PATH, folder.toString());
    if (flavor == null) {
      properties.setProperty(FLAVOR, "cu128"); // DJL's only native library for CUDA
    }
  }

  /** The folder that has it; none if the class path has no libtorch with CUDA. */
  Optional<Path> folder() {
    if (resources.apply(TORCH + "libtorch_cuda.so") == null) {
      return Optional.empty();
    }
    Path folder = cache.resolve(VERSION + "-linux-x86_64-gpu").toAbsolutePath();
    if (!Files.isDirectory(folder)) {
      Map<String, URL> files = files();
      try {
        unpack(files, folder);
      } catch (IOException e) {
        throw NativeLibrary.failure("libtorch's libraries (5 GB)", cache, e);
      }
    }
    return Optional.of(folder);
  }

  private Map<String, URL> files() {
    Map<String, URL> files = new TreeMap<>();
    List<String> missing = new ArrayList<>();
    LIBRARIES.forEach(
        (artifact, names) -> {
          for (String name : names) {
            URL file = resources.apply(place(artifact) + name);
            if (file == null) {
              missing.add("org.bytedeco:" + artifact + " (" + name + ")");
              return;
            }
            files.put(name, file);
          }
        });
    if (!missing.isEmpty()) {
      throw new PlatformException(
          "the libtorch with CUDA of org.bytedeco:pytorch needs %s on the class path, too"
              .formatted(String.join(", ", missing)),
          new FileNotFoundException(missing.get(0)));
    }
    return files;
  }

  private static String place(String artifact) {
    if (artifact.startsWith("cuda-redist")) {
      return "org/bytedeco/cuda/linux-x86_64/";
    }
    return artifact.startsWith("openblas") ? "org/bytedeco/openblas/linux-x86_64/" : TORCH;
  }

  /** One process unpacks, others wait; the folder is whole whenever it is seen. */
  private void unpack(Map<String, URL> files, Path folder) throws IOException {
    Files.createDirectories(cache);
    Path lock = cache.resolve(folder.getFileName() + ".lock");
    try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      if (!held.isValid() || Files.isDirectory(folder)) {
        return;
      }
      Path whole = cache.resolve(folder.getFileName() + ".part"); // a killed process's is gone over
      Files.createDirectories(whole);
      try {
        for (Map.Entry<String, URL> file : files.entrySet()) {
          try (InputStream in = file.getValue().openStream()) {
            Files.copy(in, whole.resolve(file.getKey()), StandardCopyOption.REPLACE_EXISTING);
          }
        }
        Files.move(whole, folder);
      } finally {
        for (String name : files.keySet()) {
          Files.deleteIfExists(whole.resolve(name)); // of what was not moved
        }
        Files.deleteIfExists(whole);
      }
    }
  }
}
