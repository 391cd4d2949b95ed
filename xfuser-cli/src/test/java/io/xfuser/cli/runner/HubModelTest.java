package io.xfuser.cli.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.cli.CommandProcess;
import io.xfuser.cli.XDiT;
import io.xfuser.config.ModelName;
import io.xfuser.hub.Hub;
import io.xfuser.hub.HubServer;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubModelTest {
  private static final Path DIT = Path.of("../xfuser-models/src/test/resources/fixtures/dit_tiny");
  private static final String NAME = "dit_dp1_cfg1_ulysses2_ring1_pp1_patch1_0.png";
  private static final String WEIGHTS = "/vae/diffusion_pytorch_model.safetensors";

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Map<String, String> environment = new HashMap<>();
  private @TempDir Path directory = Path.of("");
  private HubServer server;

  @BeforeEach
  void serve() throws IOException {
    server = new HubServer("org/tiny").withAll(DIT);
    environment.put("HF_ENDPOINT", server.endpoint().toString());
    environment.put("HF_HUB_CACHE", directory.resolve("cache").toString());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void aNamedModelIsDownloadedAndDrawsWhatItsDirectoryDraws() throws IOException {
    Path local = directory.resolve("local");
    assertThat(run(flags(DIT.toString(), local))).isZero();
    err.reset();
    Path named = directory.resolve("named");
    assertThat(run(flags("org/tiny", named))).as(() -> err.toString(UTF_8)).isZero();
    assertThat(pixels(named.resolve(NAME))).isEqualTo(pixels(local.resolve(NAME)));
    assertThat(err.toString(UTF_8).lines())
        .startsWith("downloading model_index.json (0.0 MB)")
        .anyMatch(line -> line.matches("downloading vae/diffusion.*safetensors \\([.\\d]+ MB\\)"))
        .last()
        .asString()
        .matches("step 1/1, \\d+\\.\\d\\d s/step");

    int requests = server.requests().size();
    environment.put("HF_HUB_OFFLINE", "1");
    assertThat(run(flags("org/tiny@" + HubServer.COMMIT, directory.resolve("again")))).isZero();
    assertThat(server.requests()).hasSize(requests);
  }

  @Test
  void processesThatWantAModelDownloadItOnce() throws Exception {
    Path kept = directory.resolve("kept");
    CommandProcess other =
        CommandProcess.start(Fetch.class, directory, environment, kept.toString());
    long until = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (server.requests().isEmpty() && System.nanoTime() < until) {
      Thread.sleep(5); // then it is there, too
    }
    Path own = directory.resolve("own");
    String[] place = {"--download-dir", kept.toString()};
    String[] placed =
        Stream.of(flags("org/tiny", own), place).flatMap(Stream::of).toArray(String[]::new);
    assertThat(run(placed)).as(() -> err.toString(UTF_8)).isZero();
    assertThat(other.await()).isZero();
    assertThat(own.resolve(NAME)).isNotEmptyFile();
    assertThat(server.requests())
        .filteredOn(request -> request.method().equals("GET"))
        .filteredOn(request -> request.path().equals(WEIGHTS))
        .hasSize(1);
    assertThat(kept.resolve("models--org--tiny")).isDirectory();
    assertThat(directory.resolve("cache")).doesNotExist();
  }

  @Test
  void whatTheHubDoesNotHaveIsBadInputAndAHubThatIsAwayAFailure() throws IOException {
    assertThat(run(flags("org/other", directory))).isEqualTo(2);
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "XDiT: there is neither a directory org/other nor a model of that name at "
                + server.endpoint());
    err.reset();
    environment.put("HF_HUB_OFFLINE", "1");
    assertThat(run(flags("org/tiny", directory))).isEqualTo(1);
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "XDiT: HF_HUB_OFFLINE is set, and %s has no complete copy of org/tiny"
                .formatted(directory.resolve("cache")));
  }

  @Test
  void aPipelineThatIsNotSupportedIsRefusedBeforeItsWeightsCome() throws IOException {
    try (HubServer other = new HubServer("org/other")) {
      other.with("model_index.json", "{\"_class_name\": \"KolorsPipeline\"}".getBytes(UTF_8));
      environment.put("HF_ENDPOINT", other.endpoint().toString());
      assertThat(run(flags("org/other", directory))).isEqualTo(2);
      assertThat(err.toString(UTF_8)).contains("the pipeline KolorsPipeline is not supported");
    }
  }

  /** A program that wants the model, and draws nothing. */
  static final class Fetch {
    private Fetch() {}

    public static void main(String[] arguments) {
      Hub hub = Hub.of(System.getenv()).withCache(Path.of(arguments[0]));
      var unused = hub.fetch(ModelName.of("org/tiny"), null, directory -> {});
    }
  }

  private int run(String... argv) {
    PrintStream out = new PrintStream(new ByteArrayOutputStream(), true, UTF_8);
    PrintStream errors = new PrintStream(err, true, UTF_8);
    return new Runner(XDiT.class, null, environment, out, errors).run(argv);
  }

  private static String[] flags(String model, Path results) {
    String small = "--num_inference_steps 1";
    String where = "--model %s --output_directory %s".formatted(model, results);
    return (where + " --class_labels 7 --ulysses_degree 2 " + small).split(" ");
  }

  /** Of a picture, whose file also tells which model drew it. */
  private static int[] pixels(Path file) throws IOException {
    BufferedImage image = ImageIO.read(file.toFile());
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }
}
