package io.xfuser.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.hub.DownloadListener.Progress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubTest {
  private static final String REPOSITORY = "org/tiny.model-1";
  private static final Patience QUICK =
      new Patience(3, Duration.ofMillis(1), Duration.ofMillis(500));

  private final List<Progress> progress = Collections.synchronizedList(new ArrayList<>());
  private @TempDir Path cache = Path.of("");
  private HubServer server;

  @BeforeEach
  void serve() throws IOException {
    server = new HubServer(REPOSITORY);
    TinyModel.files().forEach(server::with);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void onlyWhatAPipelineReadsIsDownloadedAndOnlyOnce() throws IOException {
    Path snapshot = fetch(null);
    assertThat(snapshot)
        .isEqualTo(cache.resolve("models--org--tiny.model-1/snapshots/" + HubServer.COMMIT));
    assertThat(files(snapshot)).containsExactlyElementsOf(new TreeSet<>(TinyModel.NEEDED));
    for (String file : TinyModel.NEEDED) {
      assertThat(snapshot.resolve(file)).hasBinaryContent(server.bytes(file));
    }
    int requests = server.requests().size();
    assertThat(fetch(null)).isEqualTo(snapshot);
    assertThat(fetch(hub(true, null), REPOSITORY + "@" + HubServer.COMMIT)).isEqualTo(snapshot);
    assertThat(server.requests()).hasSize(requests);
  }

  @Test
  void theLayoutIsThatOfHuggingfaceHub() throws IOException {
    Path snapshot = fetch(null);
    Path model = cache.resolve("models--org--tiny.model-1");
    assertThat(model.resolve("refs/main")).hasContent(HubServer.COMMIT);
    for (String file : TinyModel.NEEDED) {
      assertThat(Files.readSymbolicLink(snapshot.resolve(file)))
          .isEqualTo(
              Path.of(file.contains("/") ? "../../../blobs" : "../../blobs", server.etag(file)));
    }
    assertThat(files(model.resolve("blobs"))).noneMatch(name -> name.endsWith(".incomplete"));
  }

  @Test
  void aSnapshotThatAnotherProgramWroteIsUsedWithoutARequest() throws IOException {
    Path snapshot = writeAsHuggingfaceHubDoes(TinyModel.NEEDED);
    assertThat(fetch(null)).isEqualTo(snapshot);
    assertThat(server.requests()).isEmpty();
  }

  @Test
  void whatASnapshotOfAnotherProgramLacksIsDownloaded() throws IOException {
    List<String> some = new ArrayList<>(TinyModel.NEEDED);
    some.removeAll(List.of(TinyModel.SHARD, TinyModel.VAE));
    writeAsHuggingfaceHubDoes(some);
    Path snapshot = fetch(null);
    assertThat(snapshot.resolve(TinyModel.VAE)).hasBinaryContent(server.bytes(TinyModel.VAE));
    assertThat(contentRequests()).containsExactly(TinyModel.SHARD, TinyModel.VAE);
  }

  @Test
  void aBrokenTransferGoesOnWhereItEnded() throws IOException {
    server.breakOff(TinyModel.SHARD, 700_000);
    server.breakOff(TinyModel.SHARD, 100_000);
    Path snapshot = fetch(null);
    assertThat(snapshot.resolve(TinyModel.SHARD)).hasBinaryContent(server.bytes(TinyModel.SHARD));
    List<String> ranges =
        server.requests().stream()
            .filter(request -> request.path().equals("/" + TinyModel.SHARD))
            .map(HubServer.Request::range)
            .toList();
    assertThat(ranges).hasSize(3).first().isEqualTo("");
    assertThat(ranges.subList(1, 3)).allMatch(range -> range.matches("bytes=[1-9]\\d+-"));
  }

  @Test
  void aTransferThatAnEarlierRunLeftGoesOnWhereItEnded() throws IOException {
    for (int i = 0; i < QUICK.tries(); i++) {
      server.breakOff(TinyModel.SHARD, i == 0 ? 500_000 : 0);
    }
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(HubException.class)
        .hasMessageMatching(
            "the download of "
                + TinyModel.SHARD
                + " broke off 3 times at byte \\d+ of 1048576, .*");
    assertThatThrownBy(() -> fetch(hub(true, null), REPOSITORY))
        .hasMessage(
            "HF_HUB_OFFLINE is set, and %s has no complete copy of %s"
                .formatted(cache, REPOSITORY));
    int before = server.requests().size();
    Path snapshot = fetch(null);
    assertThat(snapshot.resolve(TinyModel.SHARD)).hasBinaryContent(server.bytes(TinyModel.SHARD));
    assertThat(server.requests().subList(before, server.requests().size()))
        .filteredOn(request -> request.path().equals("/" + TinyModel.SHARD))
        .singleElement()
        .satisfies(request -> assertThat(request.range()).isNotEmpty());
  }

  @Test
  void aDamagedFileIsReceivedAgain() throws IOException {
    server.damage(TinyModel.VAE);
    server.damage("vae/config.json");
    Path snapshot = fetch(null);
    assertThat(snapshot.resolve(TinyModel.VAE)).hasBinaryContent(server.bytes(TinyModel.VAE));
    assertThat(snapshot.resolve("vae/config.json"))
        .hasBinaryContent(server.bytes("vae/config.json"));
  }

  @Test
  void aFileThatIsDamagedTwiceIsNamedAndNotKept() throws IOException {
    server.damage(TinyModel.VAE);
    server.damage(TinyModel.VAE);
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(HubException.class)
        .hasMessageStartingWith(TinyModel.VAE + " arrived damaged 2 times: its SHA-256 is ")
        .hasMessageEndingWith(", not " + server.etag(TinyModel.VAE));
    assertThat(files(cache)).noneMatch(name -> name.contains(server.etag(TinyModel.VAE)));
  }

  @Test
  void serversThatAreBusyAreAskedAgain() throws IOException {
    server.fail(TinyModel.VAE, 503);
    server.fail(TinyModel.VAE, 403); // the signed address has expired
    server.fail("vae/config.json", 429);
    assertThat(fetch(null).resolve(TinyModel.VAE)).exists();
  }

  @Test
  void aVariantIsTakenWhereItExists() throws IOException {
    Path plain = fetch(null);
    Path snapshot = fetch("fp16");
    assertThat(snapshot).isEqualTo(plain);
    assertThat(files(snapshot)).contains("text_encoder/model.fp16.safetensors", TinyModel.VAE);
    assertThat(contentRequests()).containsOnlyOnce(TinyModel.VAE);
    int requests = server.requests().size();
    fetch("fp16");
    assertThat(server.requests()).hasSize(requests);
  }

  @Test
  void aVariantAloneLeavesThePlainWeightsThatItReplaces() throws IOException {
    assertThat(files(fetch("fp16")))
        .contains("text_encoder/model.fp16.safetensors", TinyModel.VAE)
        .doesNotContain("text_encoder/model.safetensors");
  }

  @Test
  void theTokenGoesToTheHubAndToNobodyElse() {
    server.requireToken("hf_secret", "GatedRepo");
    fetch(hub(false, "hf_secret"), REPOSITORY);
    assertThat(server.requests())
        .filteredOn(HubServer.Request::toHub)
        .isNotEmpty()
        .allMatch(request -> "Bearer hf_secret".equals(request.authorization()));
    assertThat(server.requests())
        .filteredOn(request -> !request.toHub())
        .isNotEmpty()
        .allMatch(request -> request.authorization() == null);
  }

  @Test
  void aGatedModelSaysHowToGetIt() {
    server.requireToken("hf_other", "GatedRepo");
    String page = server.endpoint() + "/" + REPOSITORY;
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "%s is gated: accept its conditions at %s and set HF_TOKEN (status 401)"
                .formatted(REPOSITORY, page));
    assertThatThrownBy(() -> fetch(hub(false, "hf_mine"), REPOSITORY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            ("%s is gated, and the token's account has no access: accept its conditions at %s"
                    + " (status 403)")
                .formatted(REPOSITORY, page));
  }

  @Test
  void aPrivateModelIsNotToldFromNone() {
    server.requireToken("hf_other", "RepoNotFound");
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            ("%s has no public model %s: check the name, or set HF_TOKEN if it is private"
                    + " (status 401)")
                .formatted(server.endpoint(), REPOSITORY));
  }

  @Test
  void unknownModelsAndRevisionsAreRejected() {
    assertThatThrownBy(() -> fetch(hub(false, null), "org/other"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "there is neither a directory org/other nor a model of that name at "
                + server.endpoint());
    assertThatThrownBy(() -> fetch(hub(false, null), REPOSITORY + "@v2"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(REPOSITORY + " has no revision v2");
  }

  @Test
  void pickledWeightsAloneAreRejectedBeforeAnyIsDownloaded() throws IOException {
    try (HubServer pickled = new HubServer(REPOSITORY)) {
      TinyModel.files()
          .forEach(
              (name, bytes) -> {
                if (!name.startsWith("transformer/") || name.matches(".*(bin|config.json)")) {
                  pickled.with(name, bytes);
                }
              });
      Hub hub = new Hub(settings(pickled.endpoint(), false, null), progress::add, QUICK);
      assertThatThrownBy(() -> fetch(hub, REPOSITORY))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              ("%s has only pickled weights in transformer (diffusion_pytorch_model.bin), which are"
                      + " not read: convert them once in Python with"
                      + " DiffusionPipeline.from_pretrained(\"%s\").save_pretrained(DIR,"
                      + " safe_serialization=True) and give --model DIR")
                  .formatted(REPOSITORY, REPOSITORY));
      assertThat(progress).extracting(Progress::file).containsOnly("model_index.json");
    }
  }

  @Test
  void aCheckThatRefusesThePipelineComesBeforeTheWeights() {
    IllegalArgumentException refusal = new IllegalArgumentException("not this one");
    assertThatThrownBy(
            () ->
                hub(false, null)
                    .fetch(
                        name(REPOSITORY),
                        null,
                        index -> {
                          throw refusal;
                        }))
        .isSameAs(refusal);
    assertThat(progress).extracting(Progress::file).containsOnly("model_index.json");
  }

  @Test
  void aHubThatCannotBeReachedIsNamed() {
    HubSettings closed = settings(URI.create("http://127.0.0.1:1"), false, null);
    assertThatThrownBy(() -> fetch(new Hub(closed, progress::add, QUICK), REPOSITORY))
        .isInstanceOf(HubException.class)
        .hasMessage(
            "http://127.0.0.1:1 cannot be reached (ConnectException), and %s has no complete copy of %s"
                .formatted(cache, REPOSITORY));
  }

  @Test
  void progressGoesFromTheFirstByteToTheLast() {
    fetch(null);
    List<Progress> shard =
        progress.stream().filter(one -> one.file().equals(TinyModel.SHARD)).toList();
    assertThat(shard.get(0)).isEqualTo(new Progress(TinyModel.SHARD, 0, TinyModel.LARGE, true));
    assertThat(shard.get(shard.size() - 1))
        .isEqualTo(new Progress(TinyModel.SHARD, TinyModel.LARGE, TinyModel.LARGE, false));
    assertThat(progress)
        .filteredOn(Progress::first)
        .extracting(Progress::file)
        .containsExactlyInAnyOrderElementsOf(TinyModel.NEEDED);
  }

  @Test
  void ofSeveralThatWantAModelOneDownloadsIt() {
    List<CompletableFuture<Path>> all =
        IntStream.range(0, 4)
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> fetch(null)))
            .toList();
    assertThat(all.stream().map(CompletableFuture::join).distinct()).hasSize(1);
    assertThat(contentRequests()).containsOnlyOnce(TinyModel.VAE).containsOnlyOnce(TinyModel.SHARD);
  }

  private Path writeAsHuggingfaceHubDoes(List<String> names) throws IOException {
    Path model = cache.resolve("models--org--tiny.model-1");
    Path snapshot = model.resolve("snapshots").resolve(HubServer.COMMIT);
    Files.createDirectories(model.resolve("blobs"));
    for (String name : names) {
      Files.write(model.resolve("blobs").resolve(server.etag(name)), server.bytes(name));
      Path link = snapshot.resolve(name);
      Files.createDirectories(link.getParent());
      String up = name.contains("/") ? "../../../blobs" : "../../blobs";
      Files.createSymbolicLink(link, Path.of(up, server.etag(name)));
    }
    Files.createDirectories(model.resolve("refs"));
    Files.writeString(model.resolve("refs/main"), HubServer.COMMIT, UTF_8);
    return snapshot;
  }

  private Path fetch(@Nullable String variant) {
    return hub(false, null).fetch(name(REPOSITORY), variant, index -> {});
  }

  private static Path fetch(Hub hub, String name) {
    return hub.fetch(name(name), null, index -> {});
  }

  private Hub hub(boolean offline, @Nullable String token) {
    return new Hub(settings(server.endpoint(), offline, token), progress::add, QUICK);
  }

  private HubSettings settings(URI endpoint, boolean offline, @Nullable String token) {
    return new HubSettings(endpoint, token, cache, offline);
  }

  private static ModelName name(String text) {
    return ModelName.parse(text).orElseThrow();
  }

  /** The files whose content was asked for, in the order of the requests. */
  private List<String> contentRequests() {
    return server.requests().stream()
        .filter(request -> request.method().equals("GET") && !request.toHub())
        .map(request -> request.path().substring(1))
        .toList();
  }

  private static List<String> files(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder)) {
      return found
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString())
          .sorted()
          .toList();
    }
  }
}
