package io.xfuser.examples.serving;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.server.ImageServer;
import io.xfuser.server.ServerSettings;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.imageio.ImageIO;

/**
 * Asks a server of the demo model from many clients at once, some of which hang up midway, and
 * compares each picture with that of its seed: {@code scripts/checks/serve_load MINUTES [CLIENTS]}.
 */
public final class ServeLoad {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String PATH = "/v1/images/generations";
  private static final int SEEDS = 16;
  private static final int SIDE = 32;
  private static final int STEPS = 2;
  private static final int CLIENTS = 200;
  private static final int MOST_TOLD = 10;
  private static final int HANGS_UP = 5; // one of so many
  private static final int MOST_PAUSE_MILLIS = 400;
  private static final double WARM = 0.34; // share of the time before memory is first looked at
  private static final int LOOKS = 20; // at memory
  private static final double FLAT = 0.03;

  private final List<int[]> expected = new ArrayList<>();
  private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Long> millis = new ConcurrentLinkedQueue<>();
  private final AtomicInteger drawn = new AtomicInteger();
  private final AtomicInteger hungUp = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicInteger cameBack = new AtomicInteger();
  private final HttpClient http = HttpClient.newHttpClient();

  private ServeLoad() {}

  /**
   * What came of it.
   *
   * @param drawn pictures that are those of their seeds
   * @param hungUp requests whose clients left
   * @param refused answers 429, after which clients asked again when they were told to
   * @param cameBack clients that did so, once or more, until they got an answer
   * @param wrong what must not be: a sentence each, of the first
   * @param medianMillis of the answers with pictures
   * @param lateMillis in which 95 of 100 came
   * @param mostMillis of them
   * @param grown the largest memory after the first third over that at its end
   */
  public record Outcome(
      int drawn,
      int hungUp,
      int refused,
      int cameBack,
      List<String> wrong,
      long medianMillis,
      long lateMillis,
      long mostMillis,
      double grown) {}

  /** Exits with 0 if all held. */
  public static void main(String[] argv) throws IOException, InterruptedException {
    double minutes = argv.length > 0 ? Double.parseDouble(argv[0]) : 1;
    int clients = argv.length > 1 ? Integer.parseInt(argv[1]) : CLIENTS;
    Path model = Path.of(System.getenv().getOrDefault("XFUSER_DEMO_MODEL", "demo-model"));
    Outcome outcome = run(model, clients, Duration.ofMillis((long) (minutes * 60_000)));
    System.out.println(outcome);
    boolean flat = outcome.grown() < 1 + FLAT || minutes < 2;
    System.exit(outcome.wrong().isEmpty() && outcome.drawn() > 0 && flat ? 0 : 1);
  }

  /** Serves {@code model}, and has so many clients ask for so long, a third of whom may wait. */
  public static Outcome run(Path model, int clients, Duration time)
      throws IOException, InterruptedException {
    XDiTParallel ranks = XDiTParallel.inProcess(EngineConfig.builder(model).build());
    ServeLoad load = new ServeLoad();
    ImageServer.Builder place =
        ImageServer.builder().set(ServerSettings.MAX_WAITING, clients / 3).port(0);
    try (ImageServer server = place.model("demo", ranks).start()) {
      for (int seed = 0; seed < SEEDS; seed++) {
        try (Generation picture = ranks.generate(load.input(seed))) {
          load.expected.add(pixels((BufferedImage) picture.images().get(0).getWrappedImage()));
        }
      }
      double grown = load.ask(server.port(), clients, time);
      long[] sorted = load.millis.stream().mapToLong(Long::longValue).sorted().toArray();
      return new Outcome(
          load.drawn.get(),
          load.hungUp.get(),
          load.refused.get(),
          load.cameBack.get(),
          load.wrong.stream().limit(MOST_TOLD).toList(),
          sorted.length == 0 ? 0 : sorted[sorted.length / 2],
          sorted.length == 0 ? 0 : sorted[sorted.length * 95 / 100],
          sorted.length == 0 ? 0 : sorted[sorted.length - 1],
          grown);
    }
  }

  private double ask(int port, int clients, Duration time) throws InterruptedException {
    long until = System.nanoTime() + time.toNanos();
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    for (int client = 0; client < clients; client++) {
      Random random = new Random(client);
      threads.execute(() -> client(port, random, until));
    }
    threads.shutdown();
    threads.awaitTermination((long) (time.toMillis() * WARM), TimeUnit.MILLISECONDS);
    double before = usedKilobytes();
    double most = before;
    long looks = time.toMillis() / LOOKS;
    while (System.nanoTime() < until && !threads.awaitTermination(looks, TimeUnit.MILLISECONDS)) {
      most = Math.max(most, usedKilobytes());
    }
    if (!threads.awaitTermination(300, TimeUnit.SECONDS)) {
      wrong.add("clients still wait five minutes after the end");
    }
    return Math.max(most, usedKilobytes()) / before;
  }

  /** Asks until then, and until it is refused no more. */
  private void client(int port, Random random, long until) {
    boolean comesBack = false;
    while (comesBack || System.nanoTime() < until) {
      try {
        boolean again = request(port, random, comesBack);
        if (comesBack && !again) {
          cameBack.incrementAndGet();
        }
        comesBack = again;
      } catch (IOException e) {
        wrong.add("a request failed: " + e);
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private InputConfig input(int seed) {
    return InputConfig.builder("a fox")
        .seed(seed)
        .height(SIDE)
        .width(SIDE)
        .numInferenceSteps(STEPS)
        .build();
  }

  /** Whether the client is to come back, after the time that it was told, which it has waited. */
  private boolean request(int port, Random random, boolean comesBack)
      throws IOException, InterruptedException {
    int seed = random.nextInt(SEEDS);
    boolean leaves = !comesBack && random.nextInt(HANGS_UP) == 0;
    String body =
        "{\"prompt\":\"a fox\",\"seed\":%d,\"size\":\"%2$dx%2$d\",\"num_inference_steps\":%3$d,\"user\":\"%4$d\"}"
            .formatted(seed, SIDE, STEPS, random.nextInt());
    if (leaves) {
      leave(port, body, random.nextInt(MOST_PAUSE_MILLIS));
      return false;
    }
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + PATH))
            .header("Content-Type", "application/json")
            .timeout(Duration.ofMinutes(5))
            .POST(BodyPublishers.ofString(body))
            .build();
    long start = System.nanoTime();
    HttpResponse<byte[]> answered = http.send(request, BodyHandlers.ofByteArray());
    JsonNode json = JSON.readTree(answered.body());
    if (answered.statusCode() == 200) {
      millis.add((System.nanoTime() - start) / 1_000_000);
      byte[] png = Base64.getDecoder().decode(json.at("/data/0/b64_json").asText());
      if (Arrays.equals(pixels(ImageIO.read(new ByteArrayInputStream(png))), expected.get(seed))) {
        drawn.incrementAndGet();
      } else {
        wrong.add("a picture is not that of seed " + seed);
      }
    } else if (answered.statusCode() == 429 && !json.at("/error/message").asText().isEmpty()) {
      refused.incrementAndGet();
      long told = answered.headers().firstValueAsLong("retry-after").orElse(0);
      Thread.sleep(told * 1000 + random.nextInt(MOST_PAUSE_MILLIS));
      return true;
    } else {
      wrong.add("answered " + answered.statusCode() + ": " + json);
    }
    return false;
  }

  /** Asks, and closes the connection after so long. */
  private void leave(int port, String body, long millis) throws IOException, InterruptedException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      String head =
          "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
              .formatted(PATH, body.length());
      socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
      Thread.sleep(millis);
      hungUp.incrementAndGet();
    }
  }

  private static int[] pixels(BufferedImage image) {
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  /** In memory, without what Java has taken and does not use. */
  private static double usedKilobytes() {
    System.gc();
    Runtime java = Runtime.getRuntime();
    return residentKilobytes() - java.freeMemory() / 1024.0;
  }

  private static double residentKilobytes() {
    try {
      return java.nio.file.Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")))
          .findFirst()
          .orElse(1);
    } catch (IOException e) {
      return 1; // no Linux
    }
  }
}
