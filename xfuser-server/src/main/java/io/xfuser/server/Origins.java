package io.xfuser.server;

import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * Refuses what pages of other sites ask of a server without keys: a browser sends it in its user's
 * name, and says where the page is from.
 *
 * @param keyed whether keys are asked for, which such a page does not have
 * @param publicUrl the server's own address, where clients reach it by another one
 */
record Origins(boolean keyed, @Nullable String publicUrl) {
  private static final int FORBIDDEN = 403;

  /** Goes on, or refuses. */
  void check(RoutingContext context) {
    String origin = context.request().getHeader(HttpHeaders.ORIGIN);
    String host = context.request().getHeader(HttpHeaders.HOST);
    if (keyed || origin == null || isOwn(origin, host)) {
      context.next();
      return;
    }
    new Call(context)
        .refuse(
            new Refusal(
                FORBIDDEN,
                "pages of %s may not use this server, which asks for no keys".formatted(origin),
                "foreign_origin"));
  }

  private boolean isOwn(String origin, @Nullable String host) {
    String from = authority(origin);
    return from != null
        && (from.equalsIgnoreCase(host)
            || (publicUrl != null && from.equalsIgnoreCase(authority(publicUrl))));
  }

  private static @Nullable String authority(String address) {
    try {
      return URI.create(address).getAuthority();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
