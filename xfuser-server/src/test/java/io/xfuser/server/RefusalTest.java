package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.ModelException;
import io.xfuser.failure.RankException;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients are told of failures, and what is for the operator alone. */
class RefusalTest {
  private static final String NAME = "secret";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/srv/secret/model.json",
        "C:\\Users\\secret\\model.safetensors",
        "\\\\secret\\share\\model.gguf",
        "C:/secret/x",
        "secret/model",
        "./secret/lora file.safetensors",
        "../secret",
        "~/secret",
        "'/srv/my secret/unet, old/x.json'",
        "(\"/secret\")",
        "[file:///secret/x]",
        "https://secret@hub/x",
        "/secret"
      })
  void noFolderIsTold(String path) {
    Stream<Function<String, Throwable>> kinds =
        Stream.of(
            ArgumentException::new,
            ModelException::new,
            ClosedException::new,
            IllegalStateException::new,
            text -> new RankException(1, "decoding", text),
            text -> new MemoryException(text, "", new IllegalStateException(text)),
            text -> new CompletionException(new ArgumentException(text)));
    kinds.forEach(
        kind -> {
          Refusal refusal = Refusal.of(kind.apply("the file " + path + " cannot be read"));
          assertThat(refusal).message().doesNotContain(NAME).contains("log has the reason");
          assertThat(refusal.reason()).contains(path);
        });
  }

  static Stream<Throwable> own() {
    return Stream.of(
        new ArgumentException("width 100 must be a multiple of 8, but is 3"),
        new ClosedException("rank 1 was lost: its process ended with exit status 137 (SIGKILL)"),
        new RankException(1, "decoding", "rank 1 failed while decoding: out of luck"),
        new ModelException("model.json lacks in_channels"));
  }

  @ParameterizedTest
  @MethodSource("own")
  void sentenceWithoutFoldersIsToldAsItIs(Throwable failure) {
    assertThat(Refusal.of(failure)).hasMessage(failure.getMessage());
  }

  @Test
  void whatFailsInsideIsNotTold() {
    Refusal refusal = Refusal.of(new NullPointerException("because \"this.x\" is null"));
    assertThat(refusal.status()).isEqualTo(500);
    assertThat(refusal).hasMessage("the request failed; the server's log has the reason");
    assertThat(refusal.reason()).isEqualTo("NullPointerException: because \"this.x\" is null");
  }

  @Test
  void infinitePictureIsTheFaultOfTheNumberThatWasGiven() {
    Throwable infinite =
        new ArgumentException("5 latents are infinite or no numbers; a smaller guidance_scale");
    assertThat(told(infinite, "prompt", "guidance_scale")).isEqualTo("400 guidance_scale");
    assertThat(told(infinite, "prompt", "cfg", "eta")).isEqualTo("400 cfg");
    assertThat(told(infinite, "prompt", "eta", "seed")).isEqualTo("400 eta");
    assertThat(told(infinite, "lora")).isEqualTo("400 lora");
    assertThat(told(infinite, "eta", "strength")).isEqualTo("400 null");
    assertThat(told(infinite, "prompt", "seed", "size", "n")).isEqualTo("500 null");
  }

  @Test
  void loraThatDoesNotFitIsTheClientsChoiceAndABrokenModelIsNot() {
    Throwable broken = new ModelException("/srv/l.safetensors has no weights for this model");
    assertThat(told(broken, "prompt", "lora")).isEqualTo("400 lora");
    assertThat(told(broken, "prompt")).isEqualTo("500 null");
  }

  private static String told(Throwable failure, String... given) {
    Refusal refusal = new Fields(Set.of(given)).drawing(failure);
    Map<?, ?> error = (Map<?, ?>) Objects.requireNonNull(refusal.body().get("error"));
    return refusal.status() + " " + error.get("param");
  }
}
