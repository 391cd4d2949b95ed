package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.LoadOptions.Quantized;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A text encoder of fp16 that is run in fp32 is multiplied by its file, if that is asked for. */
class TextInFileTest {
  private static final Path TINY = TextFixtures.path("pixart_sigma_tiny/text_encoder");
  private static final Path STATES = TextFixtures.path("text/t5.safetensors");
  private static final String FILE = "model.safetensors";

  @TempDir Path directory;
  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void write() throws IOException {
    Torch.prepareThread(1);
    Files.copy(TINY.resolve("config.json"), directory.resolve("config.json"));
    Map<String, NDArray> tensors = new HashMap<>();
    try (FileWeights file = FileWeights.open(TINY, "model", ElementType.FLOAT16)) {
      file.names().forEach(x -> tensors.put(x, file.get(manager, x, file.shape(x))));
    }
    SafeTensorsWriter.write(directory.resolve(FILE), tensors);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @Test
  void itsStatesAreThoseOfWidenedWeights() {
    try (T5Encoder inFile =
            T5Encoder.open(EncoderFolder.of(directory, loading(true)), Share.WHOLE);
        T5Encoder widened =
            T5Encoder.open(EncoderFolder.of(directory, loading(false)), Share.WHOLE)) {
      assertThat(inFile.parameterBytes()).isEqualTo(widened.parameterBytes());
      assertThat(states(inFile)).containsExactly(states(widened));
    }
  }

  @Test
  void onlyTextEncodersAndLargeTransformersAreAskedTo() throws IOException {
    assertThat(keeps(loading(true).forComponent("text_encoder_2"), "model")).isTrue();
    assertThat(keeps(loading(true).forComponent("transformer"), "model")).isFalse();
    assertThat(keeps(loading(false).forComponent("text_encoder"), "model")).isFalse();
    writeHalves("small", 16_383);
    writeHalves("large", 16_384); // 1 GiB in fp32
    assertThat(keeps(loading(true).forComponent("transformer"), "small")).isFalse();
    assertThat(keeps(loading(true).forComponent("transformer_2"), "large")).isTrue();
    assertThat(keeps(loading(false).forComponent("transformer"), "large")).isFalse();
    assertThat(keeps(loading(true).forComponent("vae"), "large")).isFalse();
  }

  /** A file of fp16 that takes no room on the disk. */
  private void writeHalves(String name, int rows) throws IOException {
    long bytes = rows * 16_384L * ElementType.FLOAT16.bytes();
    String header =
        "{\"a.weight\":{\"dtype\":\"F16\",\"shape\":[%d,16384],\"data_offsets\":[0,%d]}}"
            .formatted(rows, bytes);
    try (RandomAccessFile file =
        new RandomAccessFile(directory.resolve(name + ".safetensors").toFile(), "rw")) {
      file.writeLong(Long.reverseBytes(header.length()));
      file.write(header.getBytes(StandardCharsets.US_ASCII));
      file.setLength(file.getFilePointer() + bytes);
    }
  }

  private boolean keeps(LoadOptions loading, String name) {
    try (ComponentWeights weights = ComponentWeights.open(directory, name, loading)) {
      return weights.handedOut().keepsTypes();
    }
  }

  private static LoadOptions loading(boolean inFile) {
    return new LoadOptions(
        ElementType.FLOAT32,
        null,
        Placement.CPU,
        Quantized.NOTHING,
        inFile ? 0 : LoadOptions.NEVER);
  }

  private float[] states(T5Encoder encoder) {
    NDArray ids = TextFixtures.tensor(manager, STATES, "short.ids");
    NDArray mask = TextFixtures.tensor(manager, STATES, "short.mask");
    TextInput input = new TextInput(ids, mask, BlockContext.none(List.of()));
    return encoder.states(manager, input).toFloatArray();
  }
}
