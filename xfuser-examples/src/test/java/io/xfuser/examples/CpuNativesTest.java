package io.xfuser.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a user of CPUs downloads; left out under the profile {@code cuda}, which breaks it. */
@Tag("cpu-natives")
class CpuNativesTest {
  /** CUDA's libraries, libtorch's parts for it and JavaCPP's ways to them, not DJL's own JNI. */
  private static final Pattern CUDA =
      Pattern.compile(
          "(.*/)?lib(torch_cuda|c10_cuda|jni(cud|cu|nccl|npp|nv)|cud|cublas|cufft|cusparse|cusolver"
              + "|curand|nvrtc|nccl)[^/]*\\.so[^/]*");

  @Test
  void noLibraryOfCudaIsOnTheClassPathOfCpus() throws IOException {
    List<String> jars =
        List.of(System.getProperty("java.class.path").split(File.pathSeparator)).stream()
            .filter(entry -> entry.endsWith(".jar"))
            .toList();
    assertThat(jars).anyMatch(jar -> jar.contains("pytorch-native-cpu"));
    List<String> found = new ArrayList<>();
    for (String jar : jars) {
      try (JarFile file = new JarFile(jar)) {
        file.stream()
            .map(entry -> entry.getName())
            .filter(name -> CUDA.matcher(name).matches())
            .forEach(name -> found.add(jar + ": " + name));
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void theClassesThatReachCudaAreNotPassedOnByTheLibrary() {
    assertThat(CpuNativesTest.class.getResource("/org/bytedeco/cuda/global/nccl.class")).isNull();
  }
}
