package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.EngineException;
import io.xfuser.internal.natives.NativeLibrary;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibtorchTest {
  @TempDir private Path directory = Path.of(".");

  private Path lib(String file, String content) throws IOException {
    Path lib = Files.createDirectories(directory.resolve("torch/lib"));
    Files.writeString(directory.resolve("torch").resolve(file), content);
    return lib;
  }

  @Test
  void theNativeLibraryTellsWhatItFits() {
    assertThat(Libtorch.required()).matches("2\\.\\d+\\.\\d+");
  }

  @Test
  void aLibtorchOfAnotherVersionIsRefusedInOneSentenceUnlessAnyIsTaken() throws IOException {
    Path lib = lib("version.py", "from typing import Optional\n\n__version__ = '2.10.0+cu128'\n");
    String sentence =
        "PYTORCH_LIBRARY_PATH names libtorch 2.10.0 in %s, but DJL's native library fits libtorch"
            + " %s only";
    assertThat(Libtorch.misfit("/nowhere" + File.pathSeparator + lib, "2.7.1"))
        .hasValue(sentence.formatted(lib, "2.7.1"));
    Path file = Files.createFile(lib.resolve("libtorch.so"));
    assertThat(Libtorch.misfit(file.toString(), "2.7.1"))
        .hasValueSatisfying(why -> assertThat(why).contains("libtorch 2.10.0 in " + lib));
    assumeTrue(System.getenv("PYTORCH_LIBRARY_PATH") == null);
    System.setProperty("PYTORCH_LIBRARY_PATH", lib.toString());
    try {
      assertThatThrownBy(Libtorch::requireFit)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(sentence, lib, Libtorch.required());
      System.setProperty(Libtorch.ANY, "true");
      assertThatCode(Libtorch::requireFit).doesNotThrowAnyException();
    } finally {
      System.clearProperty("PYTORCH_LIBRARY_PATH");
      System.clearProperty(Libtorch.ANY);
    }
  }

  @Test
  void theRightVersionAndAnUnknownOneAreLoaded() throws IOException {
    assertThat(Libtorch.misfit(directory.toString(), "2.7.1")).isEmpty();
    Path lib = lib("build-version", "2.7.1+cu128\n");
    assertThat(Libtorch.misfit(lib.toString(), "2.7.1")).isEmpty();
    assertThat(Libtorch.misfit(lib.toString(), "2.5.1"))
        .hasValueSatisfying(why -> assertThat(why).contains("libtorch 2.7.1"));
  }

  @Test
  void whyLibrariesAreMissingIsSaidWithWhatToDo() {
    Path cache = Path.of("/cache/pytorch");
    assertThat(failure(new UnsatisfiedLinkError("libc10.so: failed to map segment")))
        .hasMessageStartingWith("libtorch cannot be loaded: libc10.so: failed to map segment; ")
        .hasMessageContaining("for those in " + cache + " set DJL_CACHE_DIR");
    assertThat(failure(new UnsatisfiedLinkError(cache + "/libc10.so: failed to map segment")))
        .hasMessageStartingWith(
            "libtorch cannot be loaded: /cache/pytorch/libc10.so: failed to map segment; set DJL");
    assertThat(failure(new EngineException("no copy", new IOException("No space left on device"))))
        .hasMessageStartingWith(
            "libtorch cannot be unpacked into " + cache + ": No space left on device; set DJL_C");
    assertThat(failure(new ExceptionInInitializerError(new EngineException("Unknown engine: x"))))
        .hasMessage("libtorch cannot be loaded: Unknown engine: x");
  }

  private static Throwable failure(Throwable cause) {
    return NativeLibrary.failure("libtorch", Path.of("/cache/pytorch"), cause);
  }
}
