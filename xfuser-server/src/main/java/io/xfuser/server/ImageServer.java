package io.xfuser.server;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ClosedException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.pipeline.XDiTParallel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Models over HTTP, as OpenAI's clients ask for them: {@code ImageServer.builder().model("demo",
 * ranks).port(0).start()}. Any thread may call.
 */
public final class ImageServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageServer.class);
  private static final long PATIENCE_SECONDS = 30;
  private static final long POLL_NANOS = 10_000_000;

  /** How long answers may take to be written once nothing is drawn any more. */
  private static final Duration ANSWERING = Duration.ofSeconds(5);

  private static final int LONGEST_LINE = 16 << 10;

  private final Served served;
  private final HttpServer http;
  private final Router router;

  private ImageServer(Served served, HttpServer http, Router router) {
    this.served = served;
    this.http = http;
    this.router = router;
  }

  /** A server without models. */
  public static Builder builder() {
    return new Builder();
  }

  /** The port it listens on. */
  public int port() {
    return http.actualPort();
  }

  /** The paths that it answers at, in order. */
  String routes() {
    return router.getRoutes().stream()
        .map(Route::getPath)
        .filter(Objects::nonNull)
        .distinct()
        .sorted()
        .collect(Collectors.joining(" "));
  }

  /**
   * Ends it: takes no requests any more and is not ready, lets those that it has go on for {@code
   * limit}, gives up the others, and closes its models.
   */
  public void close(Duration limit) {
    if (!served.state().end()) {
      return;
    }
    boolean interrupted = await(limit, () -> served.all().stream().allMatch(Model::isIdle));
    ClosedException ended = new ClosedException("the server has ended");
    served.all().stream().flatMap(x -> x.drawings().stream()).forEach(x -> x.giveUp(ended));
    interrupted |= await(ANSWERING, () -> served.state().answering() == 0);
    served.all().forEach(model -> model.backend().close(Duration.ZERO));
    await(http.shutdown(1, TimeUnit.SECONDS));
    await(served.vertx().close());
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits so long at most; whether this thread was interrupted. */
  private static boolean await(Duration limit, BooleanSupplier done) {
    long until = System.nanoTime() + limit.toNanos();
    while (!done.getAsBoolean() && System.nanoTime() < until) {
      LockSupport.parkNanos(POLL_NANOS);
      if (Thread.interrupted()) {
        return true;
      }
    }
    return false;
  }

  /** The same with the limit that its settings have. */
  @Override
  public void close() {
    close(seconds(served.settings().value(ServerSettings.SHUTDOWN_SECONDS)));
  }

  private static Duration seconds(double seconds) {
    return Duration.ofMillis((long) (seconds * 1000));
  }

  private static <T> T await(Future<T> future) {
    try {
      return future.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new IllegalStateException("the HTTP server does not answer", e);
    }
  }

  /**
   * Refuses settings that no server could start with, before models are loaded for it.
   *
   * @throws ArgumentException in one sentence
   */
  public static void check(ServerSettings settings) {
    Keys.of(settings.get(ServerSettings.API_KEY_FILE));
    var unusedLimits = new Limits(settings);
    String host = settings.value(ServerSettings.HOST);
    int port = settings.value(ServerSettings.PORT);
    try (ServerSocket free = new ServerSocket()) {
      free.setReuseAddress(true); // as Netty does
      free.bind(new InetSocketAddress(InetAddress.getByName(host), port));
    } catch (UnknownHostException e) {
      throw new ArgumentException("there is no address " + host, e);
    } catch (IOException e) {
      throw cannotListen(host, port, e);
    }
  }

  private static ArgumentException cannotListen(String host, int port, Throwable cause) {
    return new ArgumentException(
        "%s:%d cannot be listened on: %s".formatted(host, port, Reason.of(cause)), cause);
  }

  /** What a server is to be. */
  public static final class Builder {
    private final Map<String, Backend> models = new LinkedHashMap<>();
    private final Map<Setting<?>, Object> settings = new HashMap<>();
    private PrometheusMeterRegistry registry =
        new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    private Builder() {}

    /** Serves {@code ranks} under {@code name}, in the order in which requests come. */
    public Builder model(String name, XDiTParallel ranks) {
      return model(name, Backend.inOrder(ranks));
    }

    /**
     * Serves {@code backend} under {@code name}, until the server is closed, and then closes it;
     * the first one given is served under any other name, too.
     */
    public Builder model(String name, Backend backend) {
      if (name.isBlank() || models.put(name, backend) != null) {
        throw new ArgumentException(
            name.isBlank() ? "a model needs a name" : "two models are named " + name);
      }
      return this;
    }

    /**
     * A setting of {@link ServerSettings}; those of others are passed over.
     *
     * @throws ArgumentException with the name, the range and the value
     */
    public Builder set(Setting<?> setting, Object value) {
      settings.put(setting, setting.read(value));
      return this;
    }

    /** The same for several. */
    public Builder setAll(Map<Setting<?>, ?> values) {
      values.forEach(this::set);
      return this;
    }

    /** The address to listen on; loopback by default. */
    public Builder host(String address) {
      return set(ServerSettings.HOST, address);
    }

    /** The port to listen on; 0 = any that is free. */
    public Builder port(int number) {
      return set(ServerSettings.PORT, number);
    }

    /** Where it counts and times; one of its own by default. */
    public Builder metrics(PrometheusMeterRegistry meters) {
      this.registry = meters;
      return this;
    }

    /**
     * Starts it, and returns when it listens.
     *
     * @throws ArgumentException in one sentence, if it has no models, the keys cannot be read, or
     *     the address cannot be listened on
     */
    public ImageServer start() {
      if (models.isEmpty()) {
        throw new ArgumentException("a server needs a model to draw with");
      }
      ServerSettings values = new ServerSettings(settings);
      check(values);
      Keys keys = Keys.of(values.get(ServerSettings.API_KEY_FILE));
      warn(values.value(ServerSettings.HOST), keys);
      Limits limits = new Limits(values);
      Vertx vertx = Vertx.vertx(new VertxOptions().setUseDaemonThread(true));
      try {
        Metrics metrics = new Metrics(registry);
        Map<String, Model> drawn = new LinkedHashMap<>();
        models.forEach(
            (name, backend) ->
                drawn.put(
                    name,
                    new Model(name, backend, metrics, values.value(ServerSettings.MAX_WAITING))));
        FileStore files =
            new FileStore(
                seconds(values.value(ServerSettings.KEEP_SECONDS)),
                values.value(ServerSettings.KEEP_BYTES));
        Served served = new Served(vertx, values, limits, drawn, files, new Served.State());
        Router router = Routes.of(served, keys, metrics, registry);
        HttpServer http = vertx.createHttpServer(options()).requestHandler(router);
        return new ImageServer(served, listen(http, values), router);
      } catch (RuntimeException | Error e) {
        ImageServer.await(vertx.close());
        throw e;
      }
    }

    private static HttpServerOptions options() {
      return new HttpServerOptions()
          .setHandle100ContinueAutomatically(true)
          .setMaxInitialLineLength(LONGEST_LINE)
          .setMaxHeaderSize(LONGEST_LINE)
          .setHttp2ClearTextEnabled(false)
          .setTcpNoDelay(true);
    }

    private static HttpServer listen(HttpServer http, ServerSettings values) {
      String host = values.value(ServerSettings.HOST);
      int port = values.value(ServerSettings.PORT);
      try {
        return ImageServer.await(http.listen(port, host));
      } catch (Exception e) { // Vert.x throws checked ones that it does not declare
        Throwable cause =
            e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
        throw cannotListen(host, port, cause);
      }
    }

    private static void warn(String host, Keys keys) {
      try {
        if (!keys.required() && !InetAddress.getByName(host).isLoopbackAddress()) {
          LOG.warn(
              "the server listens on {} without keys: whoever reaches it may draw (api_key_file)",
              host);
        }
      } catch (UnknownHostException e) {
        throw new ArgumentException("there is no address " + host, e);
      }
    }
  }
}
