package io.xfuser.examples.gpucheck;

import io.xfuser.failure.ArgumentException;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Makes a folder from which the experiments run on Linux on x86-64 with nothing but a Java and a
 * libtorch: jars without other platforms' natives, tiny pipelines, scripts. Jars are not compressed
 * in it, because the archive of the whole compresses better.
 */
@Command(
    name = "pack",
    mixinStandardHelpOptions = true,
    description = "Makes a folder that runs without this checkout; see scripts/gpu-check --pack.")
final class Pack implements Callable<Integer> {
  /**
   * libtorch itself; videos; the server's; readers of WebP; archives, which DJL would unpack; and
   * what tests on a GPU have no use for.
   */
  private static final Pattern LEFT_OUT =
      Pattern.compile(
          "(pytorch-native|ffmpeg|javacv|netty|vertx|prometheus|micrometer|HdrHistogram|LatencyUtils"
              + "|webp-imageio|kotlin-stdlib|annotations|commons-(compress|io|codec)"
              + "|byte-buddy|archunit|error_?prone)-.*\\.jar");

  private static final Pattern NATIVE =
      Pattern.compile(".*\\.(so(\\.[\\d.]+)?|dll|dylib|jnilib|a)");
  private static final Pattern OURS = Pattern.compile(".*(?i:linux)[-/](x86[-_]64)/.*");

  /**
   * What native images are built with; and pictures in half precision, from which no law counts.
   */
  private static final Pattern UNUSED =
      Pattern.compile("META-INF/native-image/.*|.*/b?float16\\.safetensors");

  private static final Pattern CUDA = Pattern.compile("org/bytedeco/cuda/.*");

  /** Of Java's way to CUDA's libraries, what our classes call. */
  private static final Pattern USED_CUDA =
      Pattern.compile(
          "org/bytedeco/cuda/((global|presets)/(cudart|nccl)\\b.*|(cudart|nccl)/.*"
              + "|linux-x86_64/libjni(cudart|nccl)\\.so)");

  private static final List<String> PIPELINES =
      List.of(Machine.MODEL, "flux_dev_tiny", "sd35_medium_tiny", "dit_tiny");

  @Option(names = "--root", required = true, description = "the folder of the checkout")
  private Path root = Path.of("");

  @Option(names = "--tests", defaultValue = "", description = "the class path of the tests")
  private String tests = "";

  @Parameters(paramLabel = "FOLDER", description = "the folder, which is made")
  private Path folder = Path.of("");

  @Override
  public Integer call() throws IOException {
    if (Files.exists(folder)) {
      throw new ArgumentException(folder + " exists already");
    }
    Path lib = Files.createDirectories(folder.resolve("lib"));
    int number = 0;
    for (String entry : entries()) {
      Path path = Path.of(entry);
      if (Files.isDirectory(path)) {
        jar(path, lib.resolve("classes-" + number++ + ".jar"));
      } else if (Files.exists(path) && !LEFT_OUT.matcher(name(path)).matches()) {
        filter(path, lib.resolve(name(path)));
      }
    }
    Path fixtures = Path.of("xfuser-models/src/test/resources/fixtures");
    for (String pipeline : PIPELINES) {
      copy(fixtures.resolve(pipeline));
      copy(fixtures.resolve("reference").resolve(pipeline));
    }
    copy(Path.of("xfuser-models/src/test/resources/io/xfuser/models/devices"));
    copy(Path.of("xfuser-models/src/main/resources"), Pack::isProgram);
    copy(Path.of("scripts/lib.sh"));
    copy(Path.of("scripts/build.sh"));
    copy(Path.of("scripts/bench"));
    Path script = root.resolve("scripts/pack/gpu-check");
    Files.copy(script, folder.resolve("gpu-check"), StandardCopyOption.COPY_ATTRIBUTES);
    return 0;
  }

  private List<String> entries() {
    List<String> entries = new ArrayList<>();
    for (String path : List.of(System.getProperty("java.class.path"), tests)) {
      entries.addAll(List.of(path.split(File.pathSeparator, -1)));
    }
    return entries.stream().filter(entry -> !entry.isEmpty()).distinct().toList();
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }

  /** Copies a file or a folder of the checkout to the same place. */
  private void copy(Path what) throws IOException {
    copy(what, Pack::isKept);
  }

  /** The same, but only what is {@code wanted} by its path. */
  private void copy(Path what, Predicate<String> wanted) throws IOException {
    Path from = root.resolve(what);
    if (Files.notExists(from)) {
      return; // a pipeline without recorded calls
    }
    try (Stream<Path> files = Files.walk(from)) {
      Stream<Path> kept = files.filter(Files::isRegularFile).filter(f -> wanted.test(f.toString()));
      for (Path file : (Iterable<Path>) kept::iterator) {
        Path to = folder.resolve(root.relativize(file).toString());
        Files.createDirectories(to.getParent());
        Files.copy(file, to, StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }

  /** A text of TorchScript, which tests look for among the sources. */
  private static boolean isProgram(String file) {
    return file.endsWith(".py");
  }

  /**
   * A folder of classes as a jar; the tests' tensors are copied as files. Its folders are entries
   * too, or JUnit would find no class of a package.
   */
  private static void jar(Path classes, Path to) throws IOException {
    try (ZipOutputStream out = open(to);
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : (Iterable<Path>) files.sorted()::iterator) {
        String name = classes.relativize(file).toString().replace(File.separatorChar, '/');
        if (name.isEmpty() || name.equals("fixtures") || name.startsWith("fixtures/")) {
          continue;
        }
        if (Files.isDirectory(file)) {
          add(out, name + "/", new byte[0]);
        } else {
          add(out, name, Files.readAllBytes(file));
        }
      }
    }
  }

  private static void filter(Path jar, Path to) throws IOException {
    try (ZipFile in = new ZipFile(jar.toFile());
        ZipOutputStream out = open(to)) {
      Enumeration<? extends ZipEntry> all = in.entries();
      while (all.hasMoreElements()) {
        ZipEntry entry = all.nextElement();
        if (!entry.isDirectory() && isKept(entry.getName())) {
          try (InputStream bytes = in.getInputStream(entry)) {
            add(out, entry.getName(), bytes.readAllBytes());
          }
        }
      }
    }
  }

  /** Whether a jar's entry, or a file, is used, and for every platform or for Linux on x86-64. */
  static boolean isKept(String name) {
    return (!NATIVE.matcher(name).matches() || OURS.matcher(name).matches())
        && !UNUSED.matcher(name).matches()
        && (!CUDA.matcher(name).matches() || USED_CUDA.matcher(name).matches());
  }

  private static ZipOutputStream open(Path jar) throws IOException {
    return new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(jar)));
  }

  private static void add(ZipOutputStream out, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    entry.setCrc(crc.getValue());
    entry.setTime(0); // the same jars make the same pack
    out.putNextEntry(entry);
    out.write(bytes);
  }
}
