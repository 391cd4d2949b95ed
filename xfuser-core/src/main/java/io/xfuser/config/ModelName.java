package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model of the hub.
 *
 * @param repository {@code org/name}
 * @param revision a branch, a tag or a commit
 */
public record ModelName(String repository, String revision) {
  private static final Pattern SYNTAX =
      Pattern.compile("(\\w[\\w.-]*/\\w[\\w.-]*)(?:@(\\w[\\w.-]*(?:/\\w[\\w.-]*)*))?");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /**
   * {@code org/name}, of the branch main, or {@code org/name@revision}; nothing if {@code text} is
   * neither.
   */
  public static Optional<ModelName> parse(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    // Two dots would leave the cache; two dashes stand there for the slash.
    if (!matcher.matches() || text.contains("..") || matcher.group(1).contains("--")) {
      return Optional.empty();
    }
    String revision = matcher.group(2);
    return Optional.of(new ModelName(matcher.group(1), revision == null ? "main" : revision));
  }

  /**
   * {@code org/name}, of the branch main, or {@code org/name@revision}.
   *
   * @throws ArgumentException for anything else
   */
  public static ModelName of(String text) {
    return parse(text)
        .orElseThrow(
            () ->
                new ArgumentException(
                    "models of the hub are named org/name or org/name@revision, not " + text));
  }

  /** The same for a name that was given where a directory could be given too. */
  public static Optional<ModelName> parse(Path path) {
    return path.isAbsolute() ? Optional.empty() : parse(path.toString().replace('\\', '/'));
  }

  /** Whether the revision is a commit, whose files never change. */
  public boolean isCommit() {
    return isCommit(revision);
  }

  public static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  /** The folder in a cache. */
  public String folder() {
    return "models--" + repository.replace("/", "--");
  }

  /** {@code org/name}, with the revision unless it is main. */
  @Override
  public String toString() {
    return revision.equals("main") ? repository : repository + "@" + revision;
  }
}
