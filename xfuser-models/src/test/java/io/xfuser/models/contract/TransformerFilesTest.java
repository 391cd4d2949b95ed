package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.files.GgufWriter;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models whose one or two transformers, and encoders of pictures, are single files draw what
 * diffusers draws with them. Made by scripts/fixtures/wan_files_reference.py.
 */
class TransformerFilesTest {
  private static final Path REFERENCE = DiffusersCall.FIXTURES.resolve("reference/wan_files");
  private static final String SECOND = "transformer_2";
  private static final String HIGH = "wan2.2_t2v_high_noise_14B_fp16";
  private static final String LOW = "wan2.2_t2v_low_noise_14B_fp16";
  private static final double TOLERANCE = 1e-3;

  @TempDir Path files;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  static Stream<DiffusersCall> cases() throws IOException {
    JsonNode all = new ObjectMapper().readTree(REFERENCE.resolve("cases.json").toFile());
    List<DiffusersCall> calls = new ArrayList<>();
    for (JsonNode one : all.get("cases")) {
      calls.add(new DiffusersCall(one.get("pipeline").asText(), all.get("seed").asLong(), one));
    }
    return calls.stream();
  }

  private static DiffusersCall call(String name) throws IOException {
    return cases().filter(one -> name(one).equals(name)).findFirst().orElseThrow();
  }

  private static String name(DiffusersCall call) {
    return call.json().get("name").asText();
  }

  private OneFile tensors(NDManager manager, DiffusersCall call, String component) {
    return new OneFile(manager).add(call.directory().resolve(component), call.pipeline(), "");
  }

  /** The transformer of {@code call}'s directory as a file, and beside it the second if it has. */
  private ModelConfig.Builder model(DiffusersCall call) throws IOException {
    try (NDManager manager = Torch.newManager()) {
      Path first =
          tensors(manager, call, "transformer").write(files.resolve(HIGH + ".safetensors"));
      ModelConfig.Builder model = OneFile.beside(first, call.directory());
      return Files.isDirectory(call.directory().resolve(SECOND))
          ? model.part(
              SECOND, tensors(manager, call, SECOND).write(files.resolve(LOW + ".safetensors")))
          : model;
    }
  }

  private static NDArray drawn(NDManager manager, DiffusersCall call, EngineConfig engine) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(call.input())) {
      return Torch.alias(manager, generation.tensor());
    }
  }

  private static NDArray drawn(NDManager manager, DiffusersCall call, ModelConfig model) {
    return drawn(manager, call, EngineConfig.builder(model).build());
  }

  private static void requireTheirs(NDManager manager, DiffusersCall call, NDArray whole) {
    try (FileWeights pixels = FileWeights.openFile(REFERENCE.resolve("pixels.safetensors"), null)) {
      NDArray ours = whole.get("..., ::{}, ::{}", 2, 2);
      NDArray theirs = pixels.get(manager, name(call), pixels.shape(name(call)));
      assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(TOLERANCE);
    }
  }

  /** With the LoRAs of the case, the second of them for the second transformer. */
  private static List<String> loras(DiffusersCall call) {
    List<String> loras = new ArrayList<>();
    for (JsonNode file : call.json().get("loras")) {
      loras.add((loras.isEmpty() ? "" : SECOND + "=") + REFERENCE.resolve(file.asText()));
    }
    return loras;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void filesDrawWhatDiffusersDraws(DiffusersCall call) throws IOException {
    try (NDManager manager = Torch.newManager()) {
      ModelConfig.Builder model = model(call).loras(loras(call));
      Path encoder = call.directory().resolve("image_encoder");
      requireTheirs(manager, call, drawn(manager, call, model.build()));
      if (Files.isDirectory(encoder)) { // whose heads no shape tells
        Path file =
            new OneFile(manager).add(encoder, "").write(files.resolve("clip_vision_h.safetensors"));
        ModelConfig one = ModelConfig.builder(call.directory()).part("image_encoder", file).build();
        ModelConfig own = ModelConfig.builder(call.directory()).build();
        assertThat(Pixels.largestDifference(drawn(manager, call, one), drawn(manager, call, own)))
            .isZero();
      }
    }
  }

  @Test
  void aRequestsLorasChangeTheTransformerThatTheyAreFor() throws IOException {
    DiffusersCall call = call("t2v_loras");
    EngineConfig engine = EngineConfig.builder(model(call).dynamicLora(true).build()).build();
    InputConfig asked = call.input().toBuilder().loras(loras(call)).build();
    try (NDManager manager = Torch.newManager();
        XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(asked)) {
      requireTheirs(manager, call, generation.tensor());
    }
  }

  @Test
  void theirOrderIsThatOfTheirNames() throws IOException {
    DiffusersCall call = call("t2v");
    model(call);
    ModelConfig turned =
        OneFile.beside(files.resolve(LOW + ".safetensors"), call.directory())
            .part(SECOND, files.resolve(HIGH + ".safetensors"))
            .build();
    try (NDManager manager = Torch.newManager()) {
      requireTheirs(manager, call, drawn(manager, call, turned));
      Path first = Files.move(files.resolve(HIGH + ".safetensors"), files.resolve("a.safetensors"));
      Path second = Files.move(files.resolve(LOW + ".safetensors"), files.resolve("b.safetensors"));
      ModelConfig stated = OneFile.beside(first, call.directory()).part(SECOND, second).build();
      requireTheirs(manager, call, drawn(manager, call, stated));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "gguf") // of fp8 LoraFormsTest is
  void ofFewBitsTheyDrawWhatTheSameNumbersDo(String form) throws IOException {
    DiffusersCall call = call("t2v_loras");
    try (NDManager manager = Torch.newManager()) {
      Path first = few(form, tensors(manager, call, "transformer"), HIGH);
      Path second = few(form, tensors(manager, call, SECOND), LOW);
      ModelConfig.Builder model =
          OneFile.beside(first, call.directory()).part(SECOND, second).loras(loras(call));
      NDArray found = drawn(manager, call, model.build());
      NDArray kept = drawn(manager, call, model.keepWeightTypes(true).build());
      assertThat(Pixels.largestDifference(kept, found)).isZero();
      ModelConfig wide =
          OneFile.beside(LoraFormsTest.widened(manager, first), call.directory())
              .part(SECOND, LoraFormsTest.widened(manager, second))
              .loras(loras(call))
              .build();
      assertThat(Pixels.largestDifference(found, drawn(manager, call, wide))).isZero();
    }
  }

  private Path few(String form, OneFile whole, String name) throws IOException {
    return form.equals("gguf")
        ? GgufWriter.quantized(files.resolve(name + ".gguf"), "wan", whole.tensors())
        : Fp8Writer.write(files.resolve(name + ".safetensors"), whole.tensors());
  }

  @Test
  void ranksDrawTheSameWithLorasOfBoth() throws IOException {
    DiffusersCall call = call("t2v_loras");
    ModelConfig model = ModelConfig.builder(call.directory()).loras(loras(call)).build();
    EngineConfig serial = EngineConfig.builder(model).runtime(r -> r.warmupSteps(4)).build();
    ParallelConfig two = ParallelConfig.builder().tensorDegree(2).pipefusionDegree(2).build();
    try (NDManager manager = Torch.newManager()) {
      NDArray alone = drawn(manager, call, serial);
      NDArray ranks = drawn(manager, call, serial.toBuilder().parallel(two).build());
      assertThat(Pixels.largestDifference(ranks, alone)).isLessThanOrEqualTo(1e-4);
    }
  }

  @Test
  void whatDoesNotFitIsRefusedInOneSentence() throws IOException {
    ModelConfig.Builder model = model(call("t2v"));
    Path high = files.resolve(HIGH + ".safetensors");
    refused(
        model.part(SECOND, high),
        high + " and " + high + ": both are for the steps with more noise");
    Path vae = call("t2v").directory().resolve("vae");
    refused(model.part(SECOND, vae), SECOND + ": " + vae + " has an AutoencoderKLWan");
    Path flux = files.resolve("flux.safetensors");
    OneFile.alone(OneFile.directory("flux_dev_tiny"), "flux_dev_tiny", flux);
    refused(model.part(SECOND, flux), SECOND + ": " + flux + " is a Flux.1 transformer");
    Path lora = REFERENCE.resolve("high.safetensors");
    Path both = call("t2v").directory();
    refused(
        ModelConfig.builder(both).part(SECOND, high),
        SECOND + ": " + high + " is for the steps with more noise");
    refused(
        ModelConfig.builder(both).part(SECOND, flux),
        SECOND + ": " + flux + " is a Flux.1 transformer");
    Path never = files.resolve("never");
    DirectoryCopy.of(both, never)
        .rewrite("model_index.json", "\"boundary_ratio\"", "\"boundary_ratio_of_none\"");
    refused(
        ModelConfig.builder(never).part(SECOND, files.resolve(LOW + ".safetensors")),
        never.resolve("model_index.json")
            + " has no boundary_ratio, without which transformer_2 is not read");
    refused(
        ModelConfig.builder(OneFile.directory("wan_tiny")).loras(SECOND + "=" + lora),
        "transformer_2=high.safetensors is for transformer_2, but wan has one transformer");
  }

  private static void refused(ModelConfig.Builder model, String sentence) {
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model.build()))
        .isInstanceOf(ModelException.class)
        .hasMessage(sentence);
  }
}
