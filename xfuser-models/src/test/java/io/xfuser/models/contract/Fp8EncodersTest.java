package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.contract.Fp8Writer.Form;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Text encoders of every family that keep fp8 say what the same numbers in fp32 say; one of them in
 * each form in which files have it.
 */
class Fp8EncodersTest {
  private static final String FILE = "model.safetensors";

  @TempDir Path files;

  /** What is drawn, and the bytes of weights of text encoders that are held. */
  private record Drawn(NDArray latents, long bytes) {}

  static Stream<Arguments> encoders() {
    return Stream.of(
        Arguments.of("zimage_tiny", "text_encoder", Form.PLAIN), // Qwen3
        Arguments.of("zimage_tiny", "text_encoder", Form.SCALED),
        Arguments.of("zimage_tiny", "text_encoder", Form.MARKED),
        Arguments.of("flux_dev_tiny", "text_encoder", Form.MARKED), // CLIP
        Arguments.of("flux_dev_tiny", "text_encoder_2", Form.SCALED), // T5
        Arguments.of("wan_tiny", "text_encoder", Form.SCALED), // UMT5
        Arguments.of("qwenimage_tiny", "text_encoder", Form.SCALED), // Qwen2.5-VL
        Arguments.of("flux2_tiny", "text_encoder", Form.MARKED), // Mistral3
        Arguments.of("sana_tiny", "text_encoder", Form.MARKED)); // Gemma2
  }

  @ParameterizedTest
  @MethodSource("encoders")
  void whatIsKeptSaysWhatItsNumbersSay(String model, String encoder, Form form) throws IOException {
    Torch.prepareThread(1);
    Path original = OneFile.directory(model);
    DirectoryCopy few = DirectoryCopy.of(original, files.resolve("few"));
    DirectoryCopy wide = DirectoryCopy.of(original, files.resolve("wide"));
    try (NDManager manager = Torch.newManager()) {
      Map<String, NDArray> tensors =
          new OneFile(manager).add(original.resolve(encoder), "").tensors();
      Map<String, float[]> numbers =
          Fp8Writer.write(few.directory().resolve(encoder).resolve(FILE), tensors, form);
      Map<String, NDArray> widened = new LinkedHashMap<>();
      List<Double> rounded = new ArrayList<>();
      tensors.forEach(
          (name, tensor) -> {
            float[] values = Objects.requireNonNull(numbers.get(name), name);
            NDArray wider = manager.create(values, tensor.getShape());
            widened.put(name, wider);
            NDArray exact = Torch.cast(manager, tensor, ElementType.FLOAT32);
            rounded.add(Pixels.largestDifference(wider, exact));
          });
      SafeTensorsWriter.write(wide.directory().resolve(encoder).resolve(FILE), widened);
      Drawn expected = drawn(manager, model, wide.directory(), false);
      Drawn once = drawn(manager, model, few.directory(), false);
      Drawn kept = drawn(manager, model, few.directory(), true);
      assertThat(Pixels.largestDifference(once.latents(), expected.latents())).isZero();
      assertThat(Pixels.largestDifference(kept.latents(), expected.latents())).isZero();
      assertThat(kept.bytes()).isLessThan(once.bytes());
      assertThat(Collections.max(rounded)).isGreaterThan(1e-4);
    }
  }

  private static Drawn drawn(NDManager manager, String model, Path directory, boolean keep) {
    EngineConfig engine =
        EngineConfig.builder(ModelConfig.builder(directory).keepWeightTypes(keep).build())
            .runtime(r -> r.threads(1))
            .build();
    InputConfig input =
        Requests.two(model).toBuilder()
            .size(32, 64)
            .numInferenceSteps(model.startsWith("qwen") ? 2 : 1) // whose last noise is given
            .outputType(OutputType.LATENT)
            .build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine);
        XDiTParallel serial = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = serial.generate(input)) {
      return new Drawn(Torch.alias(manager, generation.tensor()), pipeline.textEncoderBytes());
    }
  }
}
