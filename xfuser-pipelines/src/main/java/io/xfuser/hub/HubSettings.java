package io.xfuser.hub;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where models come from and where they are kept.
 *
 * @param endpoint the hub's address
 * @param token what proves to it who asks; {@code null} = nobody
 * @param cache the folder with {@code models--org--name}
 * @param offline whether no request may be made
 */
public record HubSettings(URI endpoint, @Nullable String token, Path cache, boolean offline) {
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

  /**
   * Checks the address and the token.
   *
   * @throws ArgumentException if the endpoint is no http address, or the token cannot be sent; the
   *     message does not show it
   */
  public HubSettings {
    String scheme = endpoint.getScheme();
    if (endpoint.getHost() == null || !("https".equals(scheme) || "http".equals(scheme))) {
      throw new ArgumentException("HF_ENDPOINT " + endpoint + " is no http address");
    }
    if (token != null && !token.matches("[!-~]+")) {
      throw new ArgumentException("the hub's token has characters that no token has");
    }
  }

  /**
   * As huggingface_hub reads the environment ({@code constants.py}): HF_ENDPOINT; HF_TOKEN,
   * HF_TOKEN_PATH or the file {@code token} in HF_HOME; HF_HUB_CACHE or {@code hub} in HF_HOME;
   * HF_HUB_OFFLINE. HF_HOME is {@code ~/.cache/huggingface} where it is not set.
   *
   * @throws ArgumentException if a value is malformed or the token's file cannot be read
   */
  public static HubSettings fromEnvironment(Map<String, String> environment) {
    Path user = Path.of(System.getProperty("user.home", "."));
    Path caches = place(environment, "XDG_CACHE_HOME", user, user.resolve(".cache"));
    Path home = place(environment, "HF_HOME", user, caches.resolve("huggingface"));
    Path legacy = place(environment, "HUGGINGFACE_HUB_CACHE", user, home.resolve("hub"));
    return new HubSettings(
        endpoint(first(environment, "HF_ENDPOINT")),
        token(environment, place(environment, "HF_TOKEN_PATH", user, home.resolve("token"))),
        place(environment, "HF_HUB_CACHE", user, legacy),
        isTrue(first(environment, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")));
  }

  /** The same with models kept elsewhere. */
  public HubSettings withCache(Path other) {
    return new HubSettings(endpoint, token, other, offline);
  }

  private static URI endpoint(@Nullable String text) {
    try {
      return new URI(text == null ? "https://huggingface.co" : text.replaceAll("/+$", ""));
    } catch (URISyntaxException e) {
      throw new ArgumentException("HF_ENDPOINT " + text + " is no http address", e);
    }
  }

  private static @Nullable String token(Map<String, String> environment, Path file) {
    String text = first(environment, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN");
    if (text == null && Files.isRegularFile(file)) {
      try {
        text = Files.readString(file);
      } catch (IOException e) {
        throw new ArgumentException(file + " cannot be read: " + Reason.of(e), e);
      }
    }
    return text == null || text.isBlank() ? null : text.strip();
  }

  private static Path place(Map<String, String> from, String name, Path user, Path otherwise) {
    String text = first(from, name);
    if (text == null) {
      return otherwise;
    }
    return text.equals("~") || text.startsWith("~/")
        ? user.resolve(text.substring(Math.min(2, text.length())))
        : Path.of(text);
  }

  private static boolean isTrue(@Nullable String text) {
    return text != null && TRUE.contains(text.toUpperCase(Locale.ROOT));
  }

  private static @Nullable String first(Map<String, String> environment, String... names) {
    for (String name : names) {
      String text = environment.get(name);
      if (text != null && !text.isEmpty()) {
        return text;
      }
    }
    return null;
  }

  /** Without the token, which has no place in a log. */
  @Override
  public String toString() {
    return "HubSettings[endpoint=%s, token=%s, cache=%s, offline=%s]"
        .formatted(endpoint, token == null ? "none" : "...", cache, offline);
  }
}
