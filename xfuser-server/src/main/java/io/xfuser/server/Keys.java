package io.xfuser.server;

import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import io.xfuser.failure.ArgumentException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Lets those in who have a key, where there are keys. */
final class Keys {
  /** What whoever runs the server asks, and what tells nobody anything. */
  private static final Set<String> OPEN = Set.of("/health", "/ready", "/", "/openapi.json");

  private static final String SCHEME = "bearer ";

  private final List<byte[]> keys;

  private Keys(List<byte[]> keys) {
    this.keys = keys;
  }

  /**
   * Those in {@code file}, one a line; null = everybody may come in.
   *
   * @throws ArgumentException if it cannot be read, or has none
   */
  static Keys of(@Nullable Path file) {
    if (file == null) {
      return new Keys(List.of());
    }
    try {
      List<byte[]> keys =
          Files.readAllLines(file).stream()
              .map(String::strip)
              .filter(line -> !line.isEmpty() && !line.startsWith("#"))
              .map(line -> line.getBytes(StandardCharsets.UTF_8))
              .toList();
      if (keys.isEmpty()) {
        throw new ArgumentException("the api_key_file " + file + " has no key");
      }
      return new Keys(keys);
    } catch (IOException e) {
      throw new ArgumentException(
          "the api_key_file " + file + " cannot be read: " + e.getMessage());
    }
  }

  /** Whether there are any. */
  boolean required() {
    return !keys.isEmpty();
  }

  /** Goes on, or refuses. */
  void check(RoutingContext context) {
    String path = context.request().path();
    boolean open =
        OPEN.contains(path) || path.startsWith("/page/") || path.startsWith("/v1/files/");
    if (keys.isEmpty() || open || isKnown(context.request().getHeader(HttpHeaders.AUTHORIZATION))) {
      context.next();
      return;
    }
    context.response().putHeader("www-authenticate", "Bearer");
    new Call(context)
        .refuse(
            new Refusal(
                Refusal.UNAUTHORIZED,
                "a key is needed: Authorization: Bearer KEY, with one of this server's keys",
                "invalid_api_key"));
  }

  private boolean isKnown(@Nullable String header) {
    if (header == null || !header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return false;
    }
    byte[] given = header.substring(SCHEME.length()).strip().getBytes(StandardCharsets.UTF_8);
    boolean known = false;
    for (byte[] key : keys) { // all of them, so that the time tells nothing
      known |= MessageDigest.isEqual(key, given);
    }
    return known;
  }
}
