package io.xfuser.examples.scripts;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A checkout with this project's scripts, and programs of a test's own for Java and Maven. */
final class Checkout {
  private static final List<String> MODULES =
      List.of("tensors", "core", "pipelines", "models", "cli", "examples");
  private static final Path SCRIPTS = Path.of("../scripts");

  private final Path root;
  private final Path javaHome;

  /** What a script wrote, and how it ended. */
  record Run(int status, List<String> out, List<String> err) {}

  /** In {@code root}, whose name may have letters of all kinds. */
  Checkout(Path root) throws IOException {
    this.root = root;
    javaHome = root.resolve("j d k");
    Files.createDirectories(root.resolve("scripts"));
    for (String name : List.of("lib.sh", "build.sh", "xdit", "xfrun")) {
      Path copy = root.resolve("scripts").resolve(name);
      Files.copy(SCRIPTS.resolve(name), copy, StandardCopyOption.COPY_ATTRIBUTES);
    }
    for (String module : MODULES) {
      Files.createDirectories(root.resolve("xfuser-" + module).resolve("src/main"));
      Files.writeString(root.resolve("xfuser-" + module).resolve("pom.xml"), "");
    }
    for (String name : List.of("pom.xml", "LICENSE", "NOTICE")) {
      Files.writeString(root.resolve(name), "");
    }
    Files.createDirectory(root.resolve(".mvn"));
    maven("exit 1");
    java("exit 1");
    Files.writeString(javaHome.resolve("release"), "JAVA_VERSION=\"17.0.9\"\n");
  }

  Path root() {
    return root;
  }

  /** Java is a shell script. */
  void java(String script) throws IOException {
    program(javaHome.resolve("bin/java"), script);
    program(javaHome.resolve("bin/javac"), "exit 1");
  }

  /** Maven is a shell script. */
  void maven(String script) throws IOException {
    program(root.resolve("mvnw"), script);
  }

  /** As after a build: nothing is newer than the classes. */
  void built(String classPath) throws IOException {
    Path target = Files.createDirectories(root.resolve("xfuser-examples/target"));
    Files.writeString(target.resolve("classpath.txt"), classPath);
    Files.writeString(target.resolve("xfuser-examples-1.jar"), "");
    Files.writeString(target.resolve("built"), "");
  }

  /** Runs {@code command} in bash, from another folder, with no variables but {@code given}. */
  Run run(Map<String, String> given, String command, String... arguments)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("bash", "-c", command, "bash"));
    words.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(words).directory(root.getParent().toFile());
    Path out = root.resolve("out");
    Path err = root.resolve("err");
    builder.redirectOutput(out.toFile()).redirectError(err.toFile());
    Map<String, String> environment = builder.environment();
    String path = environment.get("PATH");
    environment.clear();
    environment.putAll(Map.of("PATH", path, "JAVA_HOME", javaHome.toString()));
    environment.putAll(Map.of("HOME", root.toString(), "ROOT", root.toString()));
    environment.putAll(given);
    int status = builder.start().waitFor();
    return new Run(status, Files.readAllLines(out, UTF_8), Files.readAllLines(err, UTF_8));
  }

  private static void program(Path file, String script) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
