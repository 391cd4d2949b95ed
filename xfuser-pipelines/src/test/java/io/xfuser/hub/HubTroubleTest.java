package io.xfuser.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.HubException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class HubTroubleTest extends HubServed {
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
  void aHubThatCannotBeReachedIsNamed() {
    HubSettings closed = settings(URI.create("http://127.0.0.1:1"), false, null);
    assertThatThrownBy(() -> fetch(new Hub(closed, heard(), QUICK), REPOSITORY))
        .isInstanceOf(HubException.class)
        .hasMessage(
            "http://127.0.0.1:1 cannot be reached (ConnectException), and %s has no complete copy of %s"
                .formatted(cache, REPOSITORY));
  }

  @Test
  void aServerThatCannotSkipSendsAllAgain() throws IOException {
    server.ignoreRanges();
    server.breakOff(TinyModel.SHARD, 700_000);
    assertThat(fetch(null).resolve(TinyModel.SHARD))
        .hasBinaryContent(server.bytes(TinyModel.SHARD));
  }

  @Test
  void aFileThatIsLongerThanToldIsDamaged() {
    server.claim(TinyModel.SHARD, TinyModel.LARGE / 2);
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(HubException.class)
        .hasMessageMatching(
            TinyModel.SHARD + " arrived damaged 2 times: it has \\d+ bytes or more, not 524288");
  }

  @Test
  void aDiskThatIsTooSmallIsNamedBeforeTheWeightsCome() {
    server.claim(TinyModel.SHARD, 1L << 60);
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(HubException.class)
        .hasMessageMatching(
            cache + "/.*/blobs has no room: 4 files need 115292\\d+ bytes, and \\d+ are free");
    assertThat(contentRequests()).isEmpty();
  }

  @Test
  void aModelThatWasRenamedIsFoundUnderItsOldName() {
    server.renamedFrom("org/old");
    assertThat(fetch(hub(false, null), "org/old").resolve(TinyModel.VAE)).exists();
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws IOException {
    Files.createFile(cache.resolve(".locks"));
    assertThatThrownBy(() -> fetch(null))
        .isInstanceOf(HubException.class)
        .hasMessageStartingWith(cache + " cannot be used as a cache of models: ");
  }

  @Test
  void aCacheThatCannotBeWrittenGivesWhatAnotherProgramLeftThere() throws IOException {
    Path snapshot = fetch("fp16");
    assertThat(snapshot.resolve("text_encoder/model.fp16.safetensors")).exists();
    Path lists = snapshot.resolveSibling("../.listings/" + HubServer.COMMIT).normalize();
    Files.delete(lists); // as if huggingface_hub had downloaded it
    try (Stream<Path> locks = Files.walk(cache.resolve(".locks"))) {
      for (Path lock : locks.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(lock);
      }
    }
    Files.createFile(cache.resolve(".locks"));
    int before = server.requests().size();
    assertThat(fetch("fp16")).isEqualTo(snapshot);
    assertThat(server.requests()).hasSize(before);
  }
}
