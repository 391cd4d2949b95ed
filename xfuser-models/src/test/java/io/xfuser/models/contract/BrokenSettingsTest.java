package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Settings with wrong values, names and letters are refused in one sentence, or do no harm. */
class BrokenSettingsTest {
  private static final Duration MOST = Duration.ofMinutes(2);
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  /** What a setting may be by mistake. */
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "0",
          "1",
          "-1",
          "3",
          "1.5",
          "1e40",
          "1099511627776",
          "2147483647",
          "\"\"",
          "\"x\"",
          "\"../x\"",
          "[]",
          "[null]",
          "[0, 1, 2, 3, 4, 5, 6, 7, 8]",
          "{}",
          "{\"a\": []}");

  @TempDir Path scratch;

  @ParameterizedTest
  @CsvSource({
    "pixart_sigma_tiny, model_index.json, 200",
    "pixart_sigma_tiny, transformer/diffusion_pytorch_model.safetensors.index.json, 200",
    "pixart_sigma_tiny, transformer/config.json, 60",
    "pixart_sigma_tiny, scheduler/scheduler_config.json, 120",
    "sd3_tiny, transformer/config.json, 60",
    "sd3_tiny, text_encoder/config.json, 60",
    "flux_dev_tiny, transformer/config.json, 60",
    "flux_dev_tiny, text_encoder_2/config.json, 60",
    "flux_dev_tiny, tokenizer/tokenizer_config.json, 60",
    "hunyuandit_tiny, vae/config.json, 60",
    "hunyuandit_tiny, text_encoder/config.json, 60",
    "latte_tiny, vae/config.json, 60",
    "dit_tiny, transformer/config.json, 60"
  })
  void aBrokenSettingIsRefusedInASentenceOrTaken(String pipeline, String file, int mutations)
      throws IOException {
    Path fixtures = Path.of("src/test/resources/fixtures");
    Path directory = DirectoryCopy.of(fixtures.resolve(pipeline), scratch).directory();
    Path broken = directory.resolve(file);
    String text = Files.readString(broken);
    Random random = new Random(7300);
    int few = CoveringArray.ALL ? mutations : mutations / 5;
    int refused =
        Assertions.assertTimeoutPreemptively(
            MOST,
            () -> {
              Torch.prepareThread(1);
              int count = 0;
              for (int i = 0; i < few; i++) {
                Files.write(broken, i % 4 == 3 ? letters(text, random) : values(text, random));
                String content = Files.readString(broken, StandardCharsets.ISO_8859_1);
                count += isRefused(directory, content) ? 1 : 0;
              }
              return count;
            });
    assertThat(refused).isBetween(few / 5, few - 1);
  }

  private static boolean isRefused(Path directory, String content) {
    try {
      DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build()).close();
      return false;
    } catch (ModelException | ArgumentException e) {
      assertThat(e.getMessage()).as(content).doesNotContain("\n").hasSizeLessThan(2000);
      return true;
    } catch (RuntimeException | Error e) {
      throw new AssertionError(content, e);
    }
  }

  /** A letter of the text is another one, or the text ends there. */
  private static byte[] letters(String text, Random random) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int at = random.nextInt(bytes.length);
    if (random.nextInt(4) == 0) {
      return Arrays.copyOf(bytes, at);
    }
    bytes[at] = (byte) random.nextInt(256);
    return bytes;
  }

  /** One value is another one, or missing. */
  private static byte[] values(String text, Random random) throws IOException {
    JsonNode whole = JSON.readTree(text);
    List<Runnable> changes = new ArrayList<>();
    collect(whole, JSON.readTree(VALUES.get(random.nextInt(VALUES.size()))), random, changes);
    changes.get(random.nextInt(changes.size())).run();
    return JSON.writeValueAsBytes(whole);
  }

  private static void collect(
      JsonNode node, JsonNode value, Random random, List<Runnable> changes) {
    boolean removes = random.nextInt(5) == 0;
    if (node instanceof ObjectNode object) {
      object
          .properties()
          .forEach(
              entry -> {
                String key = entry.getKey();
                changes.add(removes ? () -> object.remove(key) : () -> object.set(key, value));
                collect(entry.getValue(), value, random, changes);
              });
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        int index = i;
        changes.add(removes ? () -> array.remove(index) : () -> array.set(index, value));
        collect(array.get(i), value, random, changes);
      }
    }
  }
}
