package io.xfuser.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.config.ModelName;
import io.xfuser.failure.HubException;
import io.xfuser.internal.weights.FileName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The requests that a hub answers for one model. Source: huggingface_hub {@code file_download.py}.
 * Redirections are followed here, so that the token goes to the hub alone and never to the servers
 * that large files come from.
 */
final class HubClient {
  private static final int REDIRECTIONS = 10;
  private static final int OK = 200;
  private static final int ERRORS = 400;
  private static final int BUFFER = 1 << 16;

  /** Bytes of the longest list of files that is read. */
  private static final int LONGEST = 64 << 20;

  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final HubSettings settings;
  private final ModelName model;
  private final RetryPolicy patience;
  private final HttpClient http =
      HttpClient.newBuilder().followRedirects(Redirect.NEVER).connectTimeout(CONNECT).build();

  HubClient(HubSettings settings, ModelName model, RetryPolicy patience) {
    this.settings = settings;
    this.model = model;
    this.patience = patience;
  }

  /**
   * The files of a model.
   *
   * @param commit that the revision stands for now
   * @param files all names in it
   */
  record Listing(String commit, Set<String> files) {}

  /** An answer, and whether the hub itself gave it. */
  record Answer(HttpResponse<InputStream> response, boolean fromHub) {
    int status() {
      return response.statusCode();
    }

    HttpHeaders headers() {
      return response.headers();
    }
  }

  /** The files of the revision. */
  Listing listing() throws IOException {
    String revision = URLEncoder.encode(model.revision(), StandardCharsets.UTF_8);
    URI uri = uri("/api/models/" + model.repository() + "/revision/" + revision);
    return patience.first(() -> read(uri));
  }

  private Listing read(URI uri) throws IOException {
    Answer answer = send("GET", uri, 0);
    try (InputStream body = answer.response().body()) {
      accept(answer, model.toString());
      JsonNode json = JSON.readTree(whole(body, uri));
      String commit = json.path("sha").asText();
      if (!ModelName.isCommit(commit) || !json.path("siblings").isArray()) {
        throw new HubException(uri + " does not answer as a hub does: no commit, or no files");
      }
      Set<String> files = new LinkedHashSet<>();
      json.path("siblings").forEach(file -> add(file.path("rfilename").asText(), files));
      return new Listing(commit, files);
    } catch (JsonProcessingException e) {
      throw new HubException(uri + " does not answer as a hub does: it sends no JSON", e);
    }
  }

  /** Lists a name, unless it would lead elsewhere; such that no cache can keep are left out. */
  private static void add(String name, Set<String> files) {
    if (FileName.leaves(name)) {
      throw new HubException("the hub lists the impossible name " + FileName.shown(name));
    }
    if (FileName.isInside(name)) {
      files.add(name);
    }
  }

  /** An answer of bounded length that keeps coming. */
  private byte[] whole(InputStream body, URI uri) throws IOException {
    try (StallWatch watch = new StallWatch(body, patience.stall())) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      byte[] buffer = new byte[BUFFER];
      for (int read = watch.read(buffer); read >= 0; read = watch.read(buffer)) {
        bytes.write(buffer, 0, read);
        if (bytes.size() > LONGEST) {
          throw new HubException(uri + " answers with more than " + LONGEST + " bytes");
        }
      }
      return bytes.toByteArray();
    }
  }

  /** Tag and size of a file of {@code commit}. */
  RemoteFile describe(String commit, String file) throws IOException {
    return patience.first(
        () -> {
          Answer answer = send("HEAD", file(commit, file), 0);
          answer.response().body().close();
          accept(answer, file);
          HttpHeaders headers = answer.headers();
          String tag =
              headers
                  .firstValue("X-Linked-Etag")
                  .or(() -> headers.firstValue("ETag"))
                  .orElseThrow(() -> new HubException("the hub gives " + file + " no ETag"));
          OptionalLong linked = headers.firstValueAsLong("X-Linked-Size");
          long size =
              linked.isPresent()
                  ? linked.getAsLong()
                  : headers
                      .firstValueAsLong("Content-Length")
                      .orElseThrow(() -> new HubException("the hub gives " + file + " no size"));
          return new RemoteFile(file, tag.replaceFirst("^W/", "").replace("\"", ""), size);
        });
  }

  /** The bytes of a file of {@code commit} from {@code start} on, if the server can skip. */
  Answer open(String commit, String file, long start) throws IOException {
    Answer answer = send("GET", file(commit, file), start);
    try {
      accept(answer, file);
      return answer;
    } catch (IOException | RuntimeException e) {
      answer.response().body().close();
      throw e;
    }
  }

  private URI file(String commit, String file) {
    return uri("/" + model.repository() + "/resolve/" + commit + "/" + path(file));
  }

  private URI uri(String path) {
    return URI.create(settings.endpoint() + path);
  }

  private static String path(String file) {
    try {
      return new URI(null, null, "/" + file, null).toASCIIString().substring(1);
    } catch (URISyntaxException e) {
      throw new HubException("the hub names a file that cannot be asked for: " + file, e);
    }
  }

  /** Follows redirections to the answer that has the content, or says what the content is. */
  private Answer send(String method, URI start, long from) throws IOException {
    URI uri = start;
    for (int hop = 0; hop <= REDIRECTIONS; hop++) {
      HttpResponse<InputStream> response = exchange(method, uri, from);
      HttpHeaders headers = response.headers();
      boolean described = method.equals("HEAD") && isDescribed(headers);
      String to = headers.firstValue("Location").orElse(null);
      boolean redirects = response.statusCode() > OK + 99 && response.statusCode() < ERRORS;
      if (!redirects || to == null || described) {
        return new Answer(response, isHub(uri));
      }
      response.body().close();
      uri = redirected(uri, to);
    }
    throw new HubException(start + " redirects more than " + REDIRECTIONS + " times");
  }

  /** Where {@code from} leads: by http or https, and from https nowhere that anybody can read. */
  static URI redirected(URI from, String location) throws IOException {
    URI to;
    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw new IOException("the hub redirects to no address: " + FileName.shown(location), e);
    }
    boolean secure = "https".equalsIgnoreCase(to.getScheme());
    boolean plain = "http".equalsIgnoreCase(to.getScheme());
    if (to.getHost() == null || !(secure || (plain && "http".equalsIgnoreCase(from.getScheme())))) {
      throw new HubException(
          "%s redirects to %s, which is not followed from there"
              .formatted(from, FileName.shown(to.toString())));
    }
    return to;
  }

  private static boolean isDescribed(HttpHeaders headers) {
    return headers.firstValue("X-Linked-Etag").isPresent()
        && headers.firstValue("X-Linked-Size").isPresent();
  }

  private HttpResponse<InputStream> exchange(String method, URI uri, long from) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .method(method, BodyPublishers.noBody())
            .timeout(patience.stall())
            .header("User-Agent", "xfuser-jvm")
            .header("Accept-Encoding", "identity"); // sizes and ranges are those of the file
    if (settings.token() != null && isHub(uri)) {
      request.header("Authorization", "Bearer " + settings.token());
    }
    if (from > 0) {
      request.header("Range", "bytes=" + from + "-");
    }
    try {
      return http.send(request.build(), BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      throw RetryPolicy.interrupted(e);
    }
  }

  private boolean isHub(URI uri) {
    URI hub = settings.endpoint();
    return hub.getScheme().equalsIgnoreCase(uri.getScheme())
        && hub.getHost().equalsIgnoreCase(uri.getHost())
        && hub.getPort() == uri.getPort();
  }

  private void accept(Answer answer, String file) throws IOException {
    if (answer.status() >= ERRORS || answer.status() < OK) {
      throw new Refusal(settings, model, answer).of(file);
    }
  }
}
