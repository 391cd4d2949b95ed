package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.model.TextEncoder.TextOptions;
import io.xfuser.model.TextRequest.Prompts;
import io.xfuser.nn.Range;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KeptTextsTest {
  private static final int BYTES = 40; // of each text

  private final NDManager manager = Torch.newManager();

  @AfterAll
  void close() {
    manager.close();
  }

  @Test
  void theOnesUsedLastAreKeptAndNeverMoreBytesThanThereMayBe() {
    try (KeptTexts texts = new KeptTexts(2 * BYTES + 1)) {
      texts.put(key("a", 1), tensors(1));
      texts.put(key("b", 1), tensors(2));
      assertThat(found(texts, "a")).isEqualTo(1f); // so it was used after b
      texts.put(key("c", 1), tensors(3));
      assertThat(texts.bytes()).isEqualTo(2 * BYTES);
      assertThat(texts.get(manager, key("b", 1))).isNull();
      assertThat(found(texts, "a")).isEqualTo(1f);
      assertThat(found(texts, "c")).isEqualTo(3f);
      texts.put(key("large", 1), Map.of("x", manager.zeros(new Shape(100))));
      assertThat(texts.get(manager, key("large", 1))).isNull();
      assertThat(found(texts, "a")).isEqualTo(1f); // nothing made room for what does not fit
    }
  }

  @Test
  void whatItGivesOutlivesIt() {
    NDArray given;
    try (KeptTexts texts = new KeptTexts(BYTES)) {
      texts.put(key("a", 1), tensors(7));
      given = tensor(texts, "a");
    }
    assertThat(given.toFloatArray()).containsOnly(7f);
  }

  @Test
  void otherSharesPicturesAndOptionsAreOtherTexts() {
    KeptTexts.Key one = key("a", 1);
    assertThat(
            Stream.of(
                key("b", 1),
                key("a", 2),
                new KeptTexts.Key(one.encoder(), 1, one.prompts(), 2, one.images(), one.options()),
                new KeptTexts.Key(
                    one.encoder(), 1, one.prompts(), 1, new Range(0, 2), one.options()),
                new KeptTexts.Key(
                    one.encoder(), 1, one.prompts(), 1, one.images(), new TextOptions(8, true))))
        .doesNotContain(one)
        .doesNotHaveDuplicates();
    assertThat(key("a", 1)).isEqualTo(one);
  }

  private float found(KeptTexts texts, String text) {
    return tensor(texts, text).toFloatArray()[0];
  }

  private NDArray tensor(KeptTexts texts, String text) {
    Map<String, NDArray> tensors = Objects.requireNonNull(texts.get(manager, key(text, 1)));
    return Objects.requireNonNull(tensors.get("x"));
  }

  private Map<String, NDArray> tensors(float value) {
    return Map.of("x", manager.full(new Shape(BYTES / Float.BYTES), value));
  }

  private static KeptTexts.Key key(String text, int shares) {
    return new KeptTexts.Key(
        Placement.CPU,
        shares,
        new Prompts(List.of(text), List.of()),
        1,
        Range.of(1),
        new TextOptions(8, false));
  }
}
