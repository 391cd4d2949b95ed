package io.xfuser.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ModelException;
import io.xfuser.progress.Progress.Downloading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HubTest extends HubServed {
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
  void pickledWeightsAloneAreRejectedBeforeAnyIsDownloaded() throws IOException {
    try (HubServer pickled = new HubServer(REPOSITORY)) {
      TinyModel.files()
          .forEach(
              (name, bytes) -> {
                if (!name.startsWith("transformer/") || name.matches(".*(bin|config.json)")) {
                  pickled.with(name, bytes);
                }
              });
      Hub hub = new Hub(settings(pickled.endpoint(), false, null), heard(), QUICK);
      assertThatThrownBy(() -> fetch(hub, REPOSITORY))
          .isInstanceOf(ModelException.class)
          .hasMessage(
              ("%s has only pickled weights in transformer (diffusion_pytorch_model.bin), which are"
                      + " not read: convert them once in Python with"
                      + " DiffusionPipeline.from_pretrained(\"%s\").save_pretrained(DIR,"
                      + " safe_serialization=True) and open DIR")
                  .formatted(REPOSITORY, REPOSITORY));
      assertThat(progress).extracting(Downloading::file).containsOnly("model_index.json");
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
    assertThat(progress).extracting(Downloading::file).containsOnly("model_index.json");
  }

  @Test
  void progressGoesFromTheFirstByteToTheLast() {
    fetch(null);
    List<Downloading> shard =
        progress.stream().filter(one -> one.file().equals(TinyModel.SHARD)).toList();
    assertThat(shard.get(0)).isEqualTo(new Downloading(TinyModel.SHARD, 0, TinyModel.LARGE));
    assertThat(shard.get(shard.size() - 1))
        .isEqualTo(new Downloading(TinyModel.SHARD, TinyModel.LARGE, TinyModel.LARGE));
    assertThat(progress)
        .filteredOn(one -> one.done() == 0)
        .extracting(Downloading::file)
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
}
