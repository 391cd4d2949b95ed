package io.xfuser.models.internal.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Lora;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A file that is damaged is used or refused in one sentence; nothing else happens. */
class BrokenLorasTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final int MUTATIONS = CoveringArray.ALL ? 1000 : 250;

  @TempDir Path folder;

  @Test
  @Timeout(value = 300, unit = TimeUnit.SECONDS)
  void aThousandDamagedFilesAreUsedOrRefusedInOneSentence() throws IOException {
    Random random = new Random(20);
    int refused = 0;
    try (ComponentWeights model = model();
        var manager = Torch.newManager()) {
      Map<String, long[]> shapes = model.shapes();
      List<String> names = List.of("flux_diffusers", "flux_kohya", "flux_lycoris", "flux_dora");
      for (int i = 0; i < MUTATIONS; i++) {
        byte[] file =
            Files.readAllBytes(
                FIXTURES.resolve("loras/" + names.get(i % names.size()) + ".safetensors"));
        Path damaged = folder.resolve(i + ".safetensors");
        Files.write(damaged, damage(random, file));
        try (LoraFile lora = LoraFile.open(Lora.of("x", damaged, 1).file());
            var scope = manager.newSubManager()) {
          LoraFit fit = LoraFit.of(lora, LoraTargets.of("transformer", shapes), 1);
          new LoraCheck("flux", Map.of("transformer", shapes))
              .changed(Lora.of("x", damaged, 1), true);
          String tensor = fit.changes().keySet().stream().sorted().findFirst().orElseThrow();
          new LoraWeights(model.handedOut(), fit.changes(), manager.getDevice())
              .get(scope, tensor, model.shape(tensor));
        } catch (ModelException e) {
          refused++;
          assertThat(e.getMessage()).isNotBlank().doesNotContain("\n").hasSizeLessThan(2000);
        }
        Files.delete(damaged);
      }
    }
    assertThat(refused).isBetween(MUTATIONS / 4, MUTATIONS - MUTATIONS / 20);
  }

  private static ComponentWeights model() {
    return ComponentWeights.open(
        FIXTURES.resolve("flux_dev_tiny/transformer"),
        "diffusion_pytorch_model",
        LoadOptions.of(ElementType.FLOAT32));
  }

  /** Bytes flipped anywhere, letters of the header exchanged, or the end cut off. */
  private static byte[] damage(Random random, byte[] file) {
    byte[] damaged = file.clone();
    int header = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong() + 8;
    switch (random.nextInt(5)) {
      case 0 -> damaged[random.nextInt(file.length)] ^= (byte) (1 << random.nextInt(8));
      case 1 -> damaged[8 + random.nextInt(header - 8)] = (byte) (' ' + random.nextInt(95));
      case 2 -> damaged[random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
      case 3 -> {
        return Arrays.copyOf(file, random.nextInt(file.length));
      }
      default -> {
        String text = new String(file, 8, header - 8, StandardCharsets.ISO_8859_1);
        String digit = String.valueOf(random.nextInt(10));
        int place = text.indexOf("shape", random.nextInt(text.length() - 40));
        int at = place < 0 ? -1 : text.indexOf('[', place) + 1;
        if (at > 0) {
          damaged[8 + at] = (byte) digit.charAt(0);
        }
      }
    }
    return damaged;
  }

  @Test
  void theFilesAreGoodBeforeTheyAreDamaged() {
    try (ComponentWeights model = model();
        LoraFile lora = LoraFile.open(FIXTURES.resolve("loras/flux_kohya.safetensors"))) {
      assertThatCode(() -> LoraFit.of(lora, LoraTargets.of("transformer", model.shapes()), 1))
          .doesNotThrowAnyException();
    }
  }
}
