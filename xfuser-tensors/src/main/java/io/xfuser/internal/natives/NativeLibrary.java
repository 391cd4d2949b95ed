package io.xfuser.internal.natives;

import ai.djl.util.ClassLoaderUtils;
import ai.djl.util.Platform;
import ai.djl.util.Utils;
import io.xfuser.failure.PlatformException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.failure.Retried;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A native library that DJL unpacks from a jar and loads in a static initializer of its own, where
 * it loses the reason of a failure and keeps the failure until the JVM ends. So it is unpacked and
 * loaded here before, at the place where DJL looks for it; a failure passes with its reason.
 * Sources: DJL's {@code ai.djl.huggingface.tokenizers.jni.LibUtils} (0.35.1) and {@code
 * ai.djl.sentencepiece.jni.LibUtils} (0.34.0).
 */
public enum NativeLibrary {
  /** Hugging Face's tokenizers. */
  TOKENIZERS("tokenizers", "tokenizers", "cpu"),
  /** SentencePiece. */
  SENTENCEPIECE("sentencepiece", "sentencepiece_native", "");

  private final String engine;
  private final String file;
  private final String flavor;

  @SuppressWarnings("ImmutableEnumChecker") // what is loaded stays so
  private final Retried<Boolean> loaded = new Retried<>(this::load);

  NativeLibrary(String engine, String library, String flavor) {
    this.engine = engine;
    this.file = System.mapLibraryName(library);
    this.flavor = flavor;
  }

  /**
   * Loads it, if it is not loaded yet and DJL would take it from its jar.
   *
   * @param user DJL's class that needs it
   * @throws PlatformException if it cannot be unpacked or loaded, with folder and reason
   */
  public void prepare(Class<?> user) {
    DjlSettings.keepQuiet();
    if (user.getClassLoader() == NativeLibrary.class.getClassLoader()) {
      loaded.get(); // in another class loader DJL could not load it any more
    }
  }

  /** Whether DJL will find it loaded; otherwise it looks for it elsewhere. */
  private boolean load() {
    Platform platform = Platform.detectPlatform(engine);
    boolean plain = isPlain(platform);
    if (plain) {
      load(Utils.getEngineCacheDir(engine), platform);
    }
    return plain;
  }

  private boolean isPlain(Platform platform) {
    return platform.getOsPrefix().equals("linux")
        && platform.getFlavor().equals("cpu")
        && Utils.getEnvOrSystemProperty("RUST_LIBRARY_PATH") == null
        && Utils.getEnvOrSystemProperty("RUST_FLAVOR") == null
        && System.getProperty("ai.djl.huggingface.native_helper") == null;
  }

  private void load(Path cache, Platform platform) {
    String version = platform.getVersion();
    String classifier = platform.getClassifier();
    Path folder =
        cache.resolve(flavor.isEmpty() ? version : version + "-" + flavor + "-" + classifier);
    String resource =
        "native/lib/" + classifier + "/" + (flavor.isEmpty() ? "" : flavor + "/") + file;
    try {
      Path library = folder.resolve(file).toAbsolutePath();
      if (!Files.exists(library)) {
        unpack(resource, library);
      }
      System.load(library.toString());
    } catch (IOException | LinkageError e) {
      throw failure(engine + "'s library", folder, e);
    }
  }

  /** Copies {@code resource} to {@code library}, which is whole whenever it is seen. */
  static void unpack(String resource, Path library) throws IOException {
    Path folder = Files.createDirectories(library.resolveSibling(""));
    Path whole = Files.createTempFile(folder, "unpacked", ".tmp");
    try (InputStream in = ClassLoaderUtils.getResourceAsStream(resource)) {
      if (in == null) {
        throw new FileNotFoundException("the class path has no " + resource);
      }
      Files.copy(in, whole, StandardCopyOption.REPLACE_EXISTING);
      Files.move(whole, library, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(whole);
    }
  }

  /** The sentence for {@code what} that cannot be unpacked into {@code folder} or loaded. */
  public static PlatformException failure(String what, Path folder, Throwable e) {
    String sentence = what + " cannot be loaded: " + Reason.of(e);
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnsatisfiedLinkError) {
        String reason = Reason.of(cause); // the linker names the file, others do not
        String where = reason.contains(folder.toString()) ? "" : "for those in " + folder + " ";
        sentence =
            ("%s cannot be loaded: %s; %sset DJL_CACHE_DIR to a folder that programs may be loaded"
                    + " from (not mounted noexec), or delete this one if it is damaged")
                .formatted(what, reason, where);
      } else if (cause instanceof IOException) {
        sentence =
            ("%s cannot be unpacked into %s: %s; set DJL_CACHE_DIR to a folder that can be written"
                    + " to and has 500 MB free")
                .formatted(what, folder, Reason.of(cause));
      }
    }
    return new PlatformException(sentence, e);
  }
}
