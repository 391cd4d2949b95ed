package io.xfuser.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.sun.jna.NativeLibrary;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** A process that is told to end in the midst of an operator of libtorch. */
@EnabledOnOs(OS.LINUX)
class EndWhileComputingTest {
  /** Computes for minutes, and has a destructor that takes two. */
  static final class Computing {
    private static final Program PRODUCTS =
        Program.compile(
            "products",
            """
            def products(self, x: Tensor, n: int) -> Tensor:
                for i in range(n):
                    x = torch.tanh(x @ x)
                return x
            """);

    private Computing() {}

    public static void main(String... args) {
      NativeLibrary process = NativeLibrary.getProcess();
      Object[] handlerAndArgument = {
        process.getFunction("sleep"), null
      }; // for the status's seconds
      process.getFunction("on_exit").invokeInt(handlerAndArgument);
      EndWhileComputing.during(Computing::compute);
    }

    private static Object compute() {
      try (NDManager scope = Torch.newManager()) {
        Torch.prepareThread(2);
        NDArray x = scope.ones(new Shape(600, 600));
        PRODUCTS.call(scope, "products", x, 1);
        System.out.println("computing");
        PRODUCTS.call(scope, "products", x, 100_000);
      }
      return "done";
    }
  }

  @Test
  void itEndsByTheSignalAtOnceAndWithoutDestructors() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:ErrorFile=/dev/stdout",
                "-cp",
                System.getProperty("java.class.path"),
                Computing.class.getName())
            .redirectErrorStream(true)
            .start();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = ""; !line.equals("computing"); line = lines.readLine()) {
        assertThat(line).isNotNull();
      }
      process.toHandle().destroy(); // the other one closes what it says, too
      List<String> said = lines.lines().toList();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(said).noneMatch(line -> line.contains("SIG"));
      assertThat(process.exitValue()).isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
  }
}
