package io.xfuser.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.PlatformException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The layout of the jars is played by a folder; what they hold, by the files' names. */
class MavenLibtorchTest {
  private static final String TORCH = "org/bytedeco/pytorch/linux-x86_64-gpu/";
  private static final String CUDA = "org/bytedeco/cuda/linux-x86_64/";

  @TempDir private Path directory = Path.of(".");

  /** Adds {@code names} to a jar's folder. */
  private void jar(String folder, String... names) throws IOException {
    Path path = Files.createDirectories(directory.resolve("jars").resolve(folder));
    for (String name : names) {
      Files.writeString(path.resolve(name), name);
    }
  }

  private void allJars() throws IOException {
    jar(TORCH, "libc10.so", "libc10_cuda.so", "libgomp.so.1", "libtorch.so", "libtorch_cpu.so");
    jar(TORCH, "libtorch_cuda.so", "libtorch_cuda_linalg.so", "libjnitorch.so", "libjnigloo.so");
    jar("org/bytedeco/openblas/linux-x86_64/", "libgfortran.so.5", "libopenblas.so.0");
    jar("org/bytedeco/openblas/linux-x86_64/", "libquadmath.so.0", "libgcc_s.so.1");
    jar(CUDA, "libcudart.so.12", "libcufft.so.11", "libcufile.so.0", "libcupti.so.12");
    jar(CUDA, "libcurand.so.10", "libnvJitLink.so.12", "libnvrtc.so.12", "libcublas.so.12");
    jar(CUDA, "libnvrtc-builtins.so.12.9", "libcublasLt.so.12", "libcusolver.so.11");
    jar(CUDA, "libcusparse.so.12", "libcudnn.so.9", "libcufile_rdma.so.1", "libnvjpeg.so.12");
    for (String part : List.of("adv", "cnn", "graph", "heuristic", "ops")) {
      jar(CUDA, "libcudnn_" + part + ".so.9");
    }
    jar(CUDA, "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9");
  }

  private @Nullable URL resource(String name) {
    Path file = directory.resolve("jars").resolve(name);
    try {
      return Files.exists(file) ? file.toUri().toURL() : null;
    } catch (MalformedURLException e) {
      throw new UncheckedIOException(e);
    }
  }

  private MavenLibtorch libtorch() {
    return new MavenLibtorch(this::resource, directory.resolve("cache"));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }

  @Test
  void withoutCudaOnTheClassPathNothingIsUnpacked() {
    assertThat(libtorch().folder()).isEmpty();
    assertThat(directory.resolve("cache")).doesNotExist();
  }

  @Test
  void exactlyWhatLibtorchNeedsIsUnpackedOnce() throws IOException {
    allJars();
    Path folder = libtorch().folder().orElseThrow();
    assertThat(names(folder))
        .hasSize(30)
        .contains("libtorch_cuda.so", "libopenblas.so.0", "libcudnn_graph.so.9")
        // these need libraries of InfiniBand, or are JavaCPP's; DJL would load them
        .doesNotContain("libcufile_rdma.so.1", "libjnitorch.so", "libnvjpeg.so.12");
    assertThat(folder.resolve("libcublas.so.12")).hasContent("libcublas.so.12");
    Files.delete(directory.resolve("jars").resolve(CUDA + "libcublas.so.12"));
    assertThat(libtorch().folder()).hasValue(folder);
    assertThat(names(directory.resolve("cache"))).hasSize(2); // the folder and its lock
  }

  @Test
  void whatAKilledProcessLeftBehindIsUnpackedAnew() throws IOException {
    allJars();
    Path part =
        Files.createDirectories(
            directory.resolve("cache").resolve("2.7.1-1.5.12-linux-x86_64-gpu.part"));
    Files.writeString(part.resolve("libc10.so"), "half");
    assertThat(libtorch().folder().orElseThrow().resolve("libc10.so")).hasContent("libc10.so");
    assertThat(part).doesNotExist();
  }

  @Test
  void whatIsMissingIsNamedWithItsArtifact() throws IOException {
    allJars();
    Files.delete(directory.resolve("jars").resolve(CUDA + "libcusparse.so.12"));
    assertThatThrownBy(() -> libtorch().folder())
        .isInstanceOf(PlatformException.class)
        .hasMessage(
            "the libtorch with CUDA of org.bytedeco:pytorch needs"
                + " org.bytedeco:cuda-redist-cusparse:12.9-9.10-1.5.12:linux-x86_64"
                + " (libcusparse.so.12) on the class path, too");
    assertThat(directory.resolve("cache")).doesNotExist();
  }

  @Test
  void aFolderThatCannotBeWrittenToIsNamedAndNothingIsLeft() throws IOException {
    allJars();
    Files.writeString(directory.resolve("cache"), "a file");
    assertThatThrownBy(() -> libtorch().folder())
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining(directory.resolve("cache").toString());
  }

  @Test
  void djlIsToldFolderAndFlavorUnlessAFlavorIsSet() {
    Properties properties = new Properties();
    MavenLibtorch.tell(Path.of("/somewhere"), properties, null);
    assertThat(new TreeMap<>(properties))
        .containsEntry("PYTORCH_LIBRARY_PATH", "/somewhere")
        .containsEntry("PYTORCH_FLAVOR", "cu128");
    Properties set = new Properties();
    MavenLibtorch.tell(Path.of("/somewhere"), set, "cpu");
    assertThat(set).doesNotContainKey("PYTORCH_FLAVOR");
  }
}
