package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model of the hub.
 *
 * @param repository {@code org/name}
 * @param revision a branch, a tag or a commit
 */
public record ModelName(String repository, String revision) {
  private static final String WORD = "\\w[\\w.-]*";
  private static final Pattern REPOSITORY = Pattern.compile(WORD + "/" + WORD);
  private static final Pattern REVISION = Pattern.compile(WORD + "(?:/" + WORD + ")*");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /**
   * Checks that both can be names of folders.
   *
   * @throws ArgumentException if not
   */
  public ModelName {
    Given.required(repository, "the repository of a model");
    Given.required(revision, "the revision of " + repository);
    if (!fits(repository, revision)) {
      throw unnamed(repository + "@" + revision);
    }
  }

  /** Two dots would leave the cache; two dashes stand there for the slash. */
  private static boolean fits(String repository, String revision) {
    return REPOSITORY.matcher(repository).matches()
        && REVISION.matcher(revision).matches()
        && !repository.contains("..")
        && !repository.contains("--")
        && !revision.contains("..");
  }

  private static ArgumentException unnamed(String text) {
    return new ArgumentException(
        "models of the hub are named org/name or org/name@revision, not " + text);
  }

  /**
   * {@code org/name}, of the branch main, or {@code org/name@revision}; nothing if {@code text} is
   * neither.
   */
  public static Optional<ModelName> parse(String text) {
    int at = text.indexOf('@');
    String repository = at < 0 ? text : text.substring(0, at);
    String revision = at < 0 ? "main" : text.substring(at + 1);
    return fits(repository, revision)
        ? Optional.of(new ModelName(repository, revision))
        : Optional.empty();
  }

  /**
   * {@code org/name}, of the branch main, or {@code org/name@revision}.
   *
   * @throws ArgumentException for anything else
   */
  public static ModelName of(String text) {
    return parse(text).orElseThrow(() -> unnamed(text));
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
