package io.xfuser.server;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.XDiTParallel;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Models over HTTP, as OpenAI's clients ask for them: {@code ImageServer.builder().model("demo",
 * ranks).port(0).start()}. Any thread may call.
 */
public final class ImageServer implements AutoCloseable {
  private static final long START_SECONDS = 30;

  private final Vertx vertx;
  private final HttpServer http;
  private final Map<String, Backend> models;

  private ImageServer(Vertx vertx, HttpServer http, Map<String, Backend> models) {
    this.vertx = vertx;
    this.http = http;
    this.models = models;
  }

  /** A server without models. */
  public static Builder builder() {
    return new Builder();
  }

  /** The port it listens on. */
  public int port() {
    return http.actualPort();
  }

  /**
   * Ends it: takes no requests any more, lets those that it has go on for {@code limit}, and closes
   * its models.
   */
  public void close(Duration limit) {
    models.values().forEach(model -> model.close(limit));
    await(http.close());
    await(vertx.close());
  }

  @Override
  public void close() {
    close(Duration.ZERO);
  }

  private static <T> T await(Future<T> future) {
    try {
      return future.await(START_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new IllegalStateException("the HTTP server does not answer", e);
    }
  }

  /** What a server is to be. */
  public static final class Builder {
    private final Map<String, Backend> models = new LinkedHashMap<>();
    private String host = "127.0.0.1";
    private int port;

    private Builder() {}

    /** Serves {@code ranks} under {@code name}, in the order in which requests come. */
    public Builder model(String name, XDiTParallel ranks) {
      return model(name, Backend.inOrder(ranks));
    }

    /** Serves {@code backend} under {@code name}; the first one given also under any other name. */
    public Builder model(String name, Backend backend) {
      if (models.put(name, backend) != null) {
        throw new ArgumentException("two models are named " + name);
      }
      return this;
    }

    /** The address to listen on; loopback by default. */
    public Builder host(String address) {
      this.host = address;
      return this;
    }

    /** The port to listen on; 0 = any that is free. */
    public Builder port(int number) {
      this.port = number;
      return this;
    }

    /** Starts it, and returns when it listens. */
    public ImageServer start() {
      Vertx vertx = Vertx.vertx();
      Router router = Router.router(vertx);
      router.get("/health").handler(call -> call.response().end("{\"status\":\"ok\"}"));
      HttpServer http = vertx.createHttpServer().requestHandler(router);
      return new ImageServer(vertx, await(http.listen(port, host)), models);
    }
  }
}
