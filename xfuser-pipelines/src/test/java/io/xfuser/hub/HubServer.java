package io.xfuser.hub;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One repository on a hub: its files are listed at {@code /api/models}, small ones come from the
 * hub itself with the SHA-1 of their git blob as ETag, {@code .safetensors} by a redirection to
 * another server with their SHA-256. What goes wrong is told beforehand.
 */
public final class HubServer implements AutoCloseable {
  /** What branch main stands for. */
  public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  static {
    // without it each answer on a connection that is kept waits 40 ms for the client's ACK
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private static final Pattern FILE = Pattern.compile("/(.+?/.+?)/resolve/([^/]+)/(.+)");

  private final String repository;
  private final Map<String, byte[]> files = new TreeMap<>();
  private final HttpServer hub;
  private final HttpServer content;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
  private final Map<String, Deque<Trouble>> troubles = new HashMap<>();
  private final Map<String, Long> claims = new HashMap<>();
  private boolean ranges = true;
  private String oldName = "";
  private @Nullable String token;
  private String refusal = "";

  /** A request as it came. */
  public record Request(
      boolean toHub, String method, String path, @Nullable String authorization, String range) {}

  /** What happens to an answer with content, once. */
  private record Trouble(int status, int sent, boolean damages) {
    static final Trouble NONE = new Trouble(0, Integer.MAX_VALUE, false);

    byte[] content(byte[] content) {
      byte[] other = content.clone();
      if (damages) {
        other[other.length / 2] ^= 1;
      }
      return other;
    }
  }

  /** Begins to serve {@code repository} on ports of the loopback. */
  public HubServer(String repository) throws IOException {
    this.repository = repository;
    hub = server(this::answer);
    content = server(this::content);
  }

  private HttpServer server(HttpHandler handler) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", handler);
    server.start();
    return server;
  }

  /** Adds a file. */
  public HubServer with(String file, byte[] bytes) {
    files.put(file, bytes);
    return this;
  }

  /** Adds all files of a folder. */
  public HubServer withAll(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder)) {
      for (Path file : found.filter(Files::isRegularFile).toList()) {
        with(folder.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
    return this;
  }

  /** Serves nobody without {@code token}; others are told {@code code}, GatedRepo for example. */
  void requireToken(String wanted, String code) {
    token = wanted;
    refusal = code;
  }

  /** Breaks the next connection for {@code file} after {@code bytes} of it. */
  void breakOff(String file, int bytes) {
    trouble(file, new Trouble(0, bytes, false));
  }

  /** Sends other bytes than those of {@code file} the next time. */
  void damage(String file) {
    trouble(file, new Trouble(0, Integer.MAX_VALUE, true));
  }

  /** Answers the next request for the content of {@code file} with {@code status}. */
  void fail(String file, int status) {
    trouble(file, new Trouble(status, 0, false));
  }

  /** Says that {@code file}, a large one, has {@code size} bytes. */
  void claim(String file, long size) {
    claims.put(file, size);
  }

  /** Sends whole files whatever range is asked for. */
  void ignoreRanges() {
    ranges = false;
  }

  /** Moves the repository: requests for {@code old} are redirected to its new name. */
  void renamedFrom(String old) {
    oldName = old;
  }

  private void trouble(String file, Trouble trouble) {
    troubles.computeIfAbsent(file, name -> new ArrayDeque<>()).add(trouble);
  }

  /** The address that HF_ENDPOINT would have. */
  public URI endpoint() {
    return address(hub);
  }

  private static URI address(HttpServer server) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** All requests so far. */
  public List<Request> requests() {
    return List.copyOf(requests);
  }

  /** The content of a file. */
  byte[] bytes(String file) {
    return files.getOrDefault(file, new byte[0]);
  }

  /** The ETag of a file. */
  String etag(String file) {
    byte[] bytes = bytes(file);
    byte[] head = isLarge(file) ? new byte[0] : ("blob " + bytes.length + "\0").getBytes(UTF_8);
    byte[] all = Arrays.copyOf(head, head.length + bytes.length);
    System.arraycopy(bytes, 0, all, head.length, bytes.length);
    try {
      MessageDigest digest = MessageDigest.getInstance(isLarge(file) ? "SHA-256" : "SHA-1");
      return HexFormat.of().formatHex(digest.digest(all));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean isLarge(String file) {
    return file.endsWith(".safetensors");
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      record(exchange, true);
      String path = exchange.getRequestURI().getPath();
      Matcher file = FILE.matcher(path);
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      if (token != null && !("Bearer " + token).equals(authorization)) {
        refuse(exchange, authorization == null ? 401 : 403, refusal);
      } else if (path.startsWith("/api/models/" + repository + "/revision/")) {
        listing(exchange, path.substring(path.lastIndexOf('/') + 1));
      } else if (path.equals("/api/models/" + repository)) {
        listing(exchange, "main");
      } else if (file.matches() && repository.equals(file.group(1))) {
        resolve(exchange, file.group(3));
      } else if (!oldName.isEmpty() && path.contains("/" + oldName + "/")) {
        exchange.getResponseHeaders().add("Location", path.replace(oldName, repository));
        exchange.sendResponseHeaders(307, -1);
      } else {
        refuse(exchange, 404, "RepoNotFound");
      }
    }
  }

  private void listing(HttpExchange exchange, String revision) throws IOException {
    if (!revision.equals("main") && !revision.equals(COMMIT)) {
      refuse(exchange, 404, "RevisionNotFound");
      return;
    }
    String siblings =
        files.keySet().stream()
            .map(name -> "{\"rfilename\": \"" + name + "\"}")
            .collect(Collectors.joining(", "));
    String json =
        "{\"id\": \"%s\", \"private\": false, \"tags\": [], \"downloads\": 0, \"likes\": 0, "
            + "\"sha\": \"%s\", \"siblings\": [%s]}";
    send(exchange, "", json.formatted(repository, COMMIT, siblings).getBytes(UTF_8));
  }

  private void resolve(HttpExchange exchange, String file) throws IOException {
    exchange.getResponseHeaders().add("X-Repo-Commit", COMMIT);
    if (!files.containsKey(file)) {
      refuse(exchange, 404, "EntryNotFound");
    } else if (isLarge(file)) {
      exchange.getResponseHeaders().add("X-Linked-Etag", '"' + etag(file) + '"');
      exchange
          .getResponseHeaders()
          .add("X-Linked-Size", claims.getOrDefault(file, (long) bytes(file).length).toString());
      exchange.getResponseHeaders().add("Location", address(content) + "/" + file);
      exchange.sendResponseHeaders(302, -1);
    } else {
      send(exchange, file, bytes(file));
    }
  }

  private void content(HttpExchange exchange) throws IOException {
    try (exchange) {
      record(exchange, false);
      String file = exchange.getRequestURI().getPath().substring(1);
      send(exchange, file, bytes(file));
    }
  }

  private void send(HttpExchange exchange, String file, byte[] whole) throws IOException {
    exchange.getResponseHeaders().add("ETag", '"' + etag(file) + '"');
    if (exchange.getRequestMethod().equals("HEAD")) {
      long claimed = claims.getOrDefault(file, (long) whole.length);
      exchange.getResponseHeaders().add("Content-Length", String.valueOf(claimed));
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    Deque<Trouble> planned = troubles.getOrDefault(file, new ArrayDeque<>());
    Trouble trouble = planned.isEmpty() ? Trouble.NONE : planned.remove();
    if (trouble.status() > 0) {
      refuse(exchange, trouble.status(), "");
      return;
    }
    String range = ranges ? exchange.getRequestHeaders().getFirst("Range") : null;
    int start = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    byte[] bytes = Arrays.copyOfRange(trouble.content(whole), start, whole.length);
    if (range != null) {
      exchange
          .getResponseHeaders()
          .add("Content-Range", "bytes %d-%d/%d".formatted(start, whole.length - 1, whole.length));
    }
    exchange.sendResponseHeaders(range == null ? 200 : 206, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes, 0, Math.min(trouble.sent(), bytes.length));
  }

  private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
    exchange.getResponseHeaders().add("X-Error-Code", code);
    exchange.sendResponseHeaders(status, -1);
  }

  private void record(HttpExchange exchange, boolean toHub) {
    String range = exchange.getRequestHeaders().getFirst("Range");
    requests.add(
        new Request(
            toHub,
            exchange.getRequestMethod(),
            exchange.getRequestURI().getPath(),
            exchange.getRequestHeaders().getFirst("Authorization"),
            range == null ? "" : range));
  }

  @Override
  public void close() {
    hub.stop(0);
    content.stop(0);
    threads.shutdownNow();
  }
}
