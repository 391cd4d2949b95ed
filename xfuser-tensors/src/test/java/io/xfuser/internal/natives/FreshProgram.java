package io.xfuser.internal.natives;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A program that embeds this library, in a process of its own. */
public final class FreshProgram {
  private FreshProgram() {}

  /** What the program writes, with {@code environment} and without other variables of it. */
  public static String shown(Class<?> main, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName());
    builder.redirectErrorStream(true);
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.matches("OMP_WAIT_POLICY|GOMP_SPINCOUNT|THP_MEM_ALLOC_ENABLE"));
    builder.environment().putAll(environment);
    Process program = builder.start();
    String shown = new String(program.getInputStream().readAllBytes(), UTF_8);
    assertThat(program.waitFor()).as(shown).isZero();
    return shown;
  }
}
