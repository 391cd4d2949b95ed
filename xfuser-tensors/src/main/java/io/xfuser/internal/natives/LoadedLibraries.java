package io.xfuser.internal.natives;

import com.sun.jna.Library;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of native libraries that this process has loaded. JNA looks for a library by its plain
 * name, {@code libcudart.so}, and not along {@code LD_LIBRARY_PATH} for others; but pip's torch
 * brings {@code libcudart.so.12}, and DJL's natives a name with a hash in it. What libtorch itself
 * uses is loaded already.
 */
public final class LoadedLibraries {
  /**
   * How JNA is to open a library, which by itself makes its names everybody's: then those of
   * libtorch take the place of equal ones in libraries that are loaded later. {@code
   * FLAGS_minloglevel} is in c10, an int, and in SentencePiece, where it is larger, and what was
   * written there made c10 end the process where it should throw.
   */
  public static final Map<String, Object> OPENED = Map.of(Library.OPTION_OPEN_FLAGS, 1); // lazily

  private static final Path MAPS = Path.of("/proc/self/maps");

  private LoadedLibraries() {}

  /** The file of lib{@code name}.so, whatever version it has; nothing where it is not known. */
  public static Optional<String> file(String name) {
    // bytes as they are: a path may be in whatever encoding
    try (Stream<String> lines = Files.lines(MAPS, StandardCharsets.ISO_8859_1)) {
      return file(name, lines).map(LoadedLibraries::decoded);
    } catch (IOException e) {
      return Optional.empty(); // not Linux
    }
  }

  private static String decoded(String path) {
    return new String(path.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /** The same in the lines of {@code /proc/self/maps}. */
  public static Optional<String> file(String name, Stream<String> maps) {
    Pattern file = Pattern.compile("/.*/lib" + name + "(-[0-9a-f]+)?\\.so(\\.\\d+)*");
    return maps.map(line -> line.split(" +", 6)) // addresses, rights, offset, device, inode, file
        .filter(columns -> columns.length == 6 && file.matcher(columns[5]).matches())
        .map(columns -> columns[5])
        .findFirst();
  }
}
