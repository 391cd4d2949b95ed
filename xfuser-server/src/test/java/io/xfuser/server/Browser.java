package io.xfuser.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Chromium, driven by W3C's WebDriver as it is: HTTP and JSON. Elements are named by CSS selectors.
 */
final class Browser implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern STARTED = Pattern.compile("successfully on port (\\d+)");
  private static final String ELEMENT = "element-6066-11e4-a52e-4f735466cecf"; // of the standard
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process driver;
  private final URI session;

  private Browser(Process driver, int port) {
    this.driver = driver;
    URI sessions = URI.create("http://127.0.0.1:" + port + "/session");
    List<String> arguments =
        List.of("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage");
    Map<String, ?> wanted =
        Map.of(
            "browserName", "chrome",
            "goog:chromeOptions",
                Map.of("args", arguments, "binary", program("chromium").orElseThrow().toString()),
            "goog:loggingPrefs", Map.of("browser", "ALL"));
    JsonNode made = post(sessions, Map.of("capabilities", Map.of("alwaysMatch", wanted)));
    session = URI.create(sessions + "/" + made.get("sessionId").asText());
  }

  /** Whether there are Chromium and its driver. */
  static boolean isHere() {
    return program("chromium").isPresent() && program("chromedriver").isPresent();
  }

  static Browser start() throws IOException {
    String program = program("chromedriver").orElseThrow().toString();
    Process driver = new ProcessBuilder(program, "--port=0").redirectErrorStream(true).start();
    BufferedReader said = driver.inputReader(StandardCharsets.UTF_8);
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      Matcher started = STARTED.matcher(line);
      if (started.find()) {
        return new Browser(driver, Integer.parseInt(started.group(1)));
      }
    }
    throw new IOException("chromedriver did not start");
  }

  private static Optional<Path> program(String name) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  void open(String address) {
    post("url", Map.of("url", address));
  }

  /** What {@code body}, a function's, returns; a promise is waited for. */
  JsonNode run(String body) {
    return post("execute/sync", Map.of("script", body, "args", List.of()));
  }

  /** Waits until {@code expression} is true. */
  void await(String expression) {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!run("return Boolean(" + expression + ")").asBoolean()) {
      if (System.nanoTime() > until) {
        throw new AssertionError(
            expression
                + " did not come true; the page says: "
                + run("return document.body.innerText"));
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  void type(String selector, String text) {
    post("element/" + element(selector) + "/value", Map.of("text", text));
  }

  void replace(String selector, String text) {
    post("element/" + element(selector) + "/clear", Map.of());
    type(selector, text);
  }

  void click(String selector) {
    post("element/" + element(selector) + "/click", Map.of());
  }

  /** Presses {@code keys} in order where the focus is, and lets them go. */
  void press(String... keys) {
    Stream<Map<String, String>> down =
        Stream.of(keys).map(k -> Map.of("type", "keyDown", "value", k));
    Stream<Map<String, String>> up = Stream.of(keys).map(k -> Map.of("type", "keyUp", "value", k));
    Map<String, ?> keyboard =
        Map.of("type", "key", "id", "keyboard", "actions", Stream.concat(down, up).toList());
    post("actions", Map.of("actions", List.of(keyboard)));
  }

  /** Shows pages as on a screen of this size. */
  void resize(int width, int height) {
    tell(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
  }

  /** {@code light} or {@code dark}. */
  void colours(String scheme) {
    Map<String, String> feature = Map.of("name", "prefers-color-scheme", "value", scheme);
    tell("Emulation.setEmulatedMedia", Map.of("features", List.of(feature)));
  }

  private void tell(String command, Map<String, ?> parameters) {
    post("goog/cdp/execute", Map.of("cmd", command, "params", parameters));
  }

  /** What the page complained of since this was asked before. */
  List<String> complaints() {
    return post("se/log", Map.of("type", "browser")).findValuesAsText("message");
  }

  byte[] screenshot() {
    return Base64.getDecoder().decode(call(request("screenshot").GET()).asText());
  }

  private String element(String selector) {
    return post("element", Map.of("using", "css selector", "value", selector))
        .get(ELEMENT)
        .asText();
  }

  private HttpRequest.Builder request(String command) {
    return HttpRequest.newBuilder(URI.create(session + "/" + command));
  }

  private JsonNode post(String command, Map<String, ?> body) {
    return post(URI.create(session + "/" + command), body);
  }

  private JsonNode post(URI address, Map<String, ?> body) {
    try {
      String text = JSON.writeValueAsString(body);
      return call(HttpRequest.newBuilder(address).POST(HttpRequest.BodyPublishers.ofString(text)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private JsonNode call(HttpRequest.Builder request) {
    try {
      HttpResponse<String> answer =
          http.send(request.timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new AssertionError(answer.body());
      }
      return JSON.readTree(answer.body()).get("value");
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    try {
      call(HttpRequest.newBuilder(session).DELETE());
    } finally {
      driver.destroy();
    }
  }
}
