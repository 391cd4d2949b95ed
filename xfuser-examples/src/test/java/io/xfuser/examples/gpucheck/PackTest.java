package io.xfuser.examples.gpucheck;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.internal.natives.LoadedLibraries;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pack but for its Java and its archive, which scripts/checks/gpu_pack makes and tries. */
@Timeout(240)
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class PackTest {
  /** Neither a JDK nor Maven, git or Python. */
  private static final List<String> TOOLS =
      List.of("bash", "basename", "dirname", "grep", "id", "locale", "readlink", "sed", "env");

  @TempDir private Path folder = Path.of("");

  @Test
  void aPackRunsInAnEmptyFolderWithAJavaAndALibtorchAlone() throws Exception {
    Path pack = pack();
    Path libtorch = libtorch();
    assertThat(run(pack, libtorch, "--parts", "machine,compile")).isZero();
    JsonNode results = new ObjectMapper().readTree(folder.resolve("empty/gpu-check.json").toFile());
    JsonNode machine = results.get("experiments").get(0);
    assertThat(machine.get("state").asText()).isEqualTo("ended");
    assertThat(machine.get("decides").get(0).asText()).startsWith("the stack loads and draws: ");
    assertThat(results.get("experiments").get(1).get("note").get(0).asText())
        .startsWith("Left out: python3 has no diffusers");
    assertThat(Files.readString(folder.resolve("empty/gpu-check.md")))
        .contains("**A dry run on the CPU", "| libtorch | 2.7.1 |");

    // a libtorch that says that it is another is refused, and taken loudly where that is asked for
    Path other = Files.createDirectories(folder.resolve("torch/lib"));
    try (Stream<Path> libraries = Files.list(libtorch)) {
      for (Path library : (Iterable<Path>) libraries::iterator) {
        Files.createSymbolicLink(other.resolve(library.getFileName()), library);
      }
    }
    Files.writeString(folder.resolve("torch/version.py"), "__version__ = '2.99.0'\n");
    assertThat(run(pack, other, "--parts", "compile")).isEqualTo(2);
    assertThat(said())
        .isEqualTo(
            "gpu-check: PYTORCH_LIBRARY_PATH names libtorch 2.99.0 in %s, but DJL's native library"
                    .formatted(other)
                + " fits libtorch 2.7.1 only (--any_libtorch tries it nevertheless)\n");
    assertThat(run(pack, other, "--parts", "compile", "--any_libtorch")).isZero();
    assertThat(said()).contains("gpu-check: WARNING: PYTORCH_LIBRARY_PATH names libtorch 2.99.0");
    assertThat(Files.readString(folder.resolve("empty/gpu-check.md")))
        .contains("**PYTORCH_LIBRARY_PATH names libtorch 2.99.0");
  }

  @Test
  void aPackWithoutALibtorchSaysWhatItNeeds() throws Exception {
    Path script = folder.resolve("pack/gpu-check");
    Files.createDirectories(folder.resolve("pack/scripts"));
    Files.copy(Path.of("../scripts/pack/gpu-check"), script);
    for (String file : List.of("lib.sh", "build.sh")) {
      Files.copy(Path.of("../scripts", file), folder.resolve("pack/scripts").resolve(file));
    }
    assertThat(run(folder.resolve("pack"), null)).isEqualTo(2);
    assertThat(said())
        .isEqualTo(
            "gpu-check: no libtorch: --libtorch FOLDER or PYTORCH_LIBRARY_PATH names the folder"
                + " with libtorch.so\n");
    assertThat(run(folder.resolve("pack"), folder.resolve("none"))).isEqualTo(2);
    assertThat(said()).matches("gpu-check: --libtorch needs a folder, but .*/none is none\n");
  }

  @ParameterizedTest
  @CsvSource({
    "native/lib/linux-x86_64/cpu/libtokenizers.so, true",
    "native/lib/linux-aarch64/cpu/libtokenizers.so, false",
    "jnilib/win-x86_64/cpu/djl_torch.dll, false",
    "com/sun/jna/linux-x86-64/libjnidispatch.so, true",
    "com/sun/jna/linux-x86/libjnidispatch.so, false",
    "com/sun/jna/darwin-x86-64/libjnidispatch.jnilib, false",
    "org/jline/nativ/Linux/x86_64/libjlinenative.so, true",
    "org/jline/nativ/Mac/arm64/libjlinenative.jnilib, false",
    "org/bytedeco/cuda/linux-x86_64/libjninccl.so, true",
    "org/bytedeco/cuda/linux-x86_64/libjnicudart.so, true",
    "org/bytedeco/cuda/linux-x86_64/libjnicudnn.so, false",
    "org/bytedeco/cuda/linux-x86_64/libjnicublas.so, false",
    "org/bytedeco/cuda/global/nccl.class, true",
    "org/bytedeco/cuda/global/cudart$1.class, true",
    "org/bytedeco/cuda/nccl/ncclComm.class, true",
    "org/bytedeco/cuda/global/nppif.class, false",
    "org/bytedeco/cuda/nvml/nvmlPciInfo_t.class, false",
    "META-INF/native-image/linux-x86_64/jnicudart/jni-config.json, false",
    "fixtures/reference/sd3_tiny/bfloat16.safetensors, false",
    "fixtures/reference/sd3_tiny/guided.safetensors, true",
    "native/lib/tokenizers.properties, true"
  })
  void onlyWhatLinuxOnX86UsesIsKept(String entry, boolean kept) {
    assertThat(Pack.isKept(entry)).isEqualTo(kept);
  }

  /** A pack of this JVM's classes, with this JVM's Java. */
  private Path pack() throws IOException {
    Path pack = folder.resolve("a pack");
    assertThat(GpuCheck.run(System.err, "pack", "--root", "..", pack.toString())).isZero();
    assertThat(GpuCheck.run(System.err, "pack", "--root", "..", pack.toString())).isEqualTo(2);
    Files.createSymbolicLink(pack.resolve("jre"), Path.of(System.getProperty("java.home")));
    try (Stream<Path> jars = Files.list(pack.resolve("lib"))) {
      assertThat(jars.map(jar -> jar.getFileName().toString()))
          .noneMatch(name -> name.startsWith("pytorch-native") || name.startsWith("ffmpeg"));
    }
    try (ZipFile classes = new ZipFile(pack.resolve("lib/classes-0.jar").toFile())) {
      assertThat(classes.getEntry("io/xfuser/")).as("by which JUnit finds classes").isNotNull();
    }
    assertThat(pack.resolve("xfuser-models/src/main/resources/io/xfuser/models/internal"))
        .as("what tests of programs read")
        .isDirectoryRecursivelyContaining("glob:**/flux/flux.py");
    return pack;
  }

  /** The folder of the libtorch that this JVM has. */
  private static Path libtorch() {
    Torch.prepareThread(1);
    Path file = Path.of(LoadedLibraries.file("torch_cpu").orElseThrow());
    return Objects.requireNonNull(file.getParent());
  }

  private int run(Path pack, @Nullable Path libtorch, String... flags)
      throws IOException, InterruptedException {
    Path tools = Files.createDirectories(folder.resolve("tools"));
    for (String tool : TOOLS) {
      Path link = tools.resolve(tool);
      if (Files.notExists(link)) {
        Files.writeString(link, "#!/bin/sh\nexec %s \"$@\"\n".formatted(which(tool)));
        assertThat(link.toFile().setExecutable(true)).isTrue();
      }
    }
    ProcessBuilder builder = new ProcessBuilder(tools.resolve("bash").toString());
    builder.command().add(pack.resolve("gpu-check").toString());
    builder.command().addAll(List.of("--device", "cpu"));
    if (libtorch != null) {
      builder.command().addAll(List.of("--libtorch", libtorch.toString()));
    }
    builder.command().addAll(List.of(flags));
    builder.environment().clear();
    builder
        .environment()
        .putAll(
            Map.of(
                "PATH",
                tools.toString(),
                "HOME",
                folder.toString(),
                "XFUSER_JAVA_OPTS", // it ends soon
                "-XX:TieredStopAtLevel=1"));
    builder.directory(Files.createDirectories(folder.resolve("empty")).toFile());
    Process process = builder.redirectErrorStream(true).redirectOutput(log().toFile()).start();
    assertThat(process.waitFor(200, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private Path log() {
    return folder.resolve("log");
  }

  private String said() throws IOException {
    return Files.readString(log(), UTF_8);
  }

  private static Path which(String tool) {
    return Stream.of("/usr/bin", "/bin")
        .map(path -> Path.of(path, tool))
        .filter(Files::exists)
        .findFirst()
        .orElseThrow();
  }
}
