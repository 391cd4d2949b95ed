package io.xfuser.torchscript;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.util.Utils;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.PlatformException;
import io.xfuser.internal.failure.Retried;
import io.xfuser.internal.natives.DjlSettings;
import io.xfuser.internal.natives.HugePages;
import io.xfuser.internal.natives.MavenLibtorch;
import io.xfuser.internal.natives.NativeLibrary;
import io.xfuser.internal.natives.OpenMp;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The libtorch that DJL loads. One of another version than DJL's own native library was built for
 * has other layouts of objects and ends the JVM without a word; so the version of a libtorch that
 * the user points to is looked up before it is loaded.
 */
public final class Libtorch {
  private static final String SETTING = "PYTORCH_LIBRARY_PATH";

  /** The system property that takes a libtorch of any version, for whoever tries one. */
  public static final String ANY = "xfuser.any_libtorch";

  /** {@code __version__ = '2.7.1+cu126'} in pip's torch, {@code 2.7.1+cu126} in the archives. */
  private static final Pattern VERSION = Pattern.compile("(?m)^(?:__version__ = ')?(\\d[\\d.]*)");

  private static final Retried<Engine> ENGINE = new Retried<>(Libtorch::start);

  private Libtorch() {}

  /**
   * Looks at the libtorch that {@code PYTORCH_LIBRARY_PATH} names, if it names one; else takes the
   * one with CUDA of the class path, if there is one. To be called before anything else here.
   *
   * @throws ArgumentException if it does not fit, in one sentence, unless {@link #ANY} is true
   */
  public static void requireFit() {
    DjlSettings.keepQuiet();
    MavenLibtorch.prefer();
    if (!Boolean.getBoolean(ANY)) {
      misfit()
          .ifPresent(
              sentence -> {
                throw new ArgumentException(sentence);
              });
    }
  }

  /**
   * Why the libtorch that {@code PYTORCH_LIBRARY_PATH} names does not fit DJL's native library, in
   * one sentence with both versions; nothing if it fits, or none is named.
   */
  public static Optional<String> misfit() {
    String path = Utils.getEnvOrSystemProperty(SETTING);
    return path == null || path.isBlank() ? Optional.empty() : misfit(path, required());
  }

  /** The version of libtorch, {@code 2.7.1} for example. */
  public static String version() {
    return engine().getVersion();
  }

  /**
   * DJL's engine, started by the first call that can.
   *
   * @throws ArgumentException as {@link #requireFit} does
   * @throws PlatformException if its libraries cannot be unpacked or loaded, with folder and reason
   */
  static Engine engine() {
    return ENGINE.get();
  }

  private static Engine start() {
    requireFit();
    OpenMp.sleepWhileWaiting();
    HugePages.prefer();
    try {
      return DjlSettings.withoutOptimizer(() -> Engine.getEngine("PyTorch"));
    } catch (EngineException | LinkageError e) {
      throw NativeLibrary.failure("libtorch's libraries", Utils.getEngineCacheDir("pytorch"), e);
    }
  }

  /** Of a libtorch in {@code path} whose version is known and is not {@code required}. */
  static Optional<String> misfit(String path, String required) {
    for (String entry : path.split(File.pathSeparator, -1)) {
      Path named = Path.of(entry);
      Path folder = Files.isRegularFile(named) ? named.toAbsolutePath().getParent() : named;
      Optional<String> found = folder == null ? Optional.empty() : version(folder);
      if (found.isPresent() && !found.get().equals(required)) {
        return Optional.of(
            "%s names libtorch %s in %s, but DJL's native library fits libtorch %s only"
                .formatted(SETTING, found.get(), folder, required));
      }
    }
    return Optional.empty();
  }

  /** The version of the libtorch in {@code folder}, if a file beside the folder tells it. */
  static Optional<String> version(Path folder) {
    for (String file : new String[] {"../version.py", "../build-version"}) {
      Path told = folder.resolve(file);
      if (Files.isReadable(told)) {
        try {
          Matcher matcher = VERSION.matcher(Files.readString(told));
          if (matcher.find()) {
            return Optional.of(matcher.group(1));
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return Optional.empty();
  }

  /** The version that the native library on the class path was built for. */
  static String required() {
    try (InputStream in = Libtorch.class.getResourceAsStream("/jnilib/pytorch.properties")) {
      if (in == null) {
        throw new IllegalStateException("ai.djl.pytorch:pytorch-jni is not on the class path");
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("jni_version", "").split("-", 2)[0]; // 2.7.1-0.35.1
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
