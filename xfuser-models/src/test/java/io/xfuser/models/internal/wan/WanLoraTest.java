package io.xfuser.models.internal.wan;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRAs by the names of Wan's authors. */
class WanLoraTest {
  private static final Path MODEL = Requests.directory("wan_tiny");

  /** Those of all modules, by diffusers' names. */
  private static final Map<String, String> NAMES = names();

  private static final InputConfig FOX =
      InputConfig.builder("a fox")
          .size(32, 48)
          .numFrames(5)
          .maxSequenceLength(20)
          .numInferenceSteps(1)
          .outputType(OutputType.LATENT)
          .build();

  @TempDir Path files;

  private static Map<String, String> names() {
    Map<String, String> names = new LinkedHashMap<>();
    for (String[] attention : new String[][] {{"attn1", "self_attn"}, {"attn2", "cross_attn"}}) {
      for (String layer : new String[] {"q", "k", "v"}) {
        names.put(
            "blocks.1." + attention[0] + ".to_" + layer, "blocks.1." + attention[1] + "." + layer);
      }
      names.put("blocks.1." + attention[0] + ".to_out.0", "blocks.1." + attention[1] + ".o");
    }
    names.put("blocks.3.ffn.net.0.proj", "blocks.3.ffn.0");
    names.put("blocks.3.ffn.net.2", "blocks.3.ffn.2");
    for (String layer : new String[] {"text", "time"}) {
      String module = "condition_embedder." + layer + "_embedder.linear_";
      names.put(module + "1", layer + "_embedding.0");
      names.put(module + "2", layer + "_embedding.2");
    }
    names.put("condition_embedder.time_proj", "time_projection.1");
    names.put("proj_out", "head.head");
    return names;
  }

  @Test
  void namesOfItsAuthorsStandForThoseOfDiffusers() throws IOException {
    float[] plain = draw(ModelConfig.builder(MODEL).build());
    float[] diffusers =
        draw(with(write("diffusers", "lora_A", "lora_B", name -> "transformer." + name)));
    assertThat(difference(diffusers, plain)).isGreaterThan(0.1);
    Path comfy =
        write("comfy", "lora_down", "lora_up", name -> "diffusion_model." + NAMES.get(name));
    Path kohya =
        write(
            "kohya",
            "lora_down",
            "lora_up",
            name -> "lora_unet_" + String.valueOf(NAMES.get(name)).replace('.', '_'));
    assertThat(difference(draw(with(comfy)), diffusers)).isZero();
    assertThat(difference(draw(with(kohya)), diffusers)).isZero();
  }

  /** Lightx2v's files change the modulations of blocks and head, too. */
  @ParameterizedTest
  @CsvSource({
    "diffusion_model.blocks.1.diff_m, blocks.1.scale_shift_table",
    "diffusion_model.head.diff_m, scale_shift_table",
    "diffusion_model.blocks.0.modulation.diff, blocks.0.scale_shift_table"
  })
  void whatIsAddedToModulationsIsFound(String key, String tensor) throws IOException {
    DirectoryCopy changed = DirectoryCopy.of(MODEL, files.resolve("changed"));
    Path transformer = changed.directory().resolve("transformer");
    Path file = files.resolve("modulation.safetensors");
    try (NDManager scope = Torch.newManager();
        FileWeights weights =
            FileWeights.open(
                MODEL.resolve("transformer"), "diffusion_pytorch_model", ElementType.FLOAT32)) {
      Map<String, NDArray> all = new LinkedHashMap<>();
      for (String name : weights.names()) {
        all.put(name, weights.get(scope, name, weights.shape(name)));
      }
      NDArray delta = scope.ones(new Shape(weights.shape(tensor))).mul(0.5f);
      SafeTensorsWriter.write(file, Map.of(key, delta));
      all.put(tensor, weights.get(scope, tensor, weights.shape(tensor)).add(delta));
      SafeTensorsWriter.write(transformer.resolve("diffusion_pytorch_model.safetensors"), all);
    }
    float[] found = draw(with(file));
    assertThat(difference(found, draw(ModelConfig.builder(changed.directory()).build())))
        .isLessThan(1e-6);
    assertThat(difference(found, draw(ModelConfig.builder(MODEL).build()))).isGreaterThan(1e-3);
  }

  /** What a transformer of pictures has besides. */
  @Test
  void namesOfLayersForPicturesAreKnown() throws IOException {
    Path directory = Requests.directory("wan_i2v_tiny");
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    Path file = files.resolve("pictures.safetensors");
    try (NDManager scope = Torch.newManager()) {
      Map<String, Integer> inputs =
          Map.of(
              "blocks.1.cross_attn.k_img", 48,
              "blocks.1.cross_attn.v_img", 48,
              "img_emb.proj.1", 32,
              "img_emb.proj.3", 32);
      inputs.forEach(
          (layer, width) -> {
            int rows = layer.equals("img_emb.proj.1") ? 32 : 48;
            tensors.put(
                "diffusion_model." + layer + ".lora_A.weight", scope.ones(new Shape(2, width)));
            tensors.put(
                "diffusion_model." + layer + ".lora_B.weight", scope.ones(new Shape(rows, 2)));
          });
      SafeTensorsWriter.write(file, tensors);
    }
    ModelConfig model = ModelConfig.builder(directory).loras(file.toString()).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
      assertThat(pipeline.model().name()).isEqualTo("wan"); // and every key has fitted
    }
  }

  /** Files of distilled models change norms, too, by what is to be added to them. */
  @Test
  void whatIsAddedToNormsIsFound() throws IOException {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    Path file = files.resolve("norms.safetensors");
    try (NDManager scope = Torch.newManager();
        FileWeights weights =
            FileWeights.open(
                MODEL.resolve("transformer"), "diffusion_pytorch_model", ElementType.FLOAT32)) {
      Map.of(
              "attn1.norm_q", "self_attn.norm_q.diff",
              "attn1.norm_k", "self_attn.norm_k.diff",
              "attn2.norm_q", "cross_attn.norm_q.diff",
              "attn2.norm_k", "cross_attn.norm_k.diff",
              "norm2", "norm3.diff")
          .forEach(
              (own, other) -> {
                long width = weights.shape("blocks.1." + own + ".weight")[0];
                NDArray added = scope.ones(new Shape(width)).mul(0.5f);
                tensors.put("diffusion_model.blocks.1." + other, added);
              });
      tensors.put(
          "diffusion_model.blocks.1.norm3.diff_b",
          scope.ones(new Shape(weights.shape("blocks.1.norm2.bias"))));
      SafeTensorsWriter.write(file, tensors);
    }
    float[] plain = draw(ModelConfig.builder(MODEL).build());
    assertThat(difference(draw(with(file)), plain)).isGreaterThan(1e-3);
  }

  /** LoRAs change the first transformer alone: the second one is there once, whatever they are. */
  @Test
  void anotherChoiceOfLorasHasTheSecondTransformerOfTheFirst() throws IOException {
    Path lora = write("dynamic", "lora_A", "lora_B", name -> "transformer." + name);
    EngineConfig engine =
        EngineConfig.builder(
                ModelConfig.builder(Requests.directory("wan22_tiny")).dynamicLora(true).build())
            .build();
    InputConfig both = FOX.toBuilder().numInferenceSteps(4).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine);
        XDiTParallel serial = XDiTParallel.inProcess(pipeline, engine)) {
      serial.generate(both).close();
      long plain = pipeline.transformerBytes(); // of two alike
      serial.generate(both.toBuilder().loras(lora.toString()).build()).close();
      assertThat(2 * pipeline.transformerBytes()).isEqualTo(3 * plain);
      float[] first = values(serial.generate(both.toBuilder().loras(lora.toString()).build()));
      String second = "transformer_2=" + lora;
      float[] other = values(serial.generate(both.toBuilder().loras(second).build()));
      assertThat(pipeline.transformerBytes())
          .isEqualTo(2 * plain); // two of its own, one, the other
      assertThat(difference(first, other)).isGreaterThan(1e-3);
    }
  }

  private static ModelConfig with(Path lora) {
    return ModelConfig.builder(MODEL).loras(lora.toString()).build();
  }

  /** Random matrices of rank 2, the same in each file. */
  private Path write(String file, String down, String up, UnaryOperator<String> naming)
      throws IOException {
    Random random = new Random(7);
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    try (NDManager scope = Torch.newManager();
        FileWeights weights =
            FileWeights.open(
                MODEL.resolve("transformer"), "diffusion_pytorch_model", ElementType.FLOAT32)) {
      for (String module : NAMES.keySet()) {
        long[] shape = weights.shape(module + ".weight");
        String name = naming.apply(module);
        tensors.put(name + "." + down + ".weight", matrix(scope, random, 2, shape[1]));
        tensors.put(name + "." + up + ".weight", matrix(scope, random, shape[0], 2));
      }
      Path path = files.resolve(file + ".safetensors");
      SafeTensorsWriter.write(path, tensors);
      return path;
    }
  }

  private static NDArray matrix(NDManager owner, Random random, long rows, long columns) {
    float[] values = new float[Math.toIntExact(rows * columns)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (0.2 * random.nextGaussian());
    }
    return owner.create(values, new Shape(rows, columns));
  }

  private static float[] draw(ModelConfig model) {
    EngineConfig engine = EngineConfig.builder(model).build();
    try (XDiTParallel serial = XDiTParallel.inProcess(engine);
        Generation generation = serial.generate(FOX)) {
      return generation.tensor().toFloatArray();
    }
  }

  private static float[] values(Generation drawn) {
    try (drawn) {
      return drawn.tensor().toFloatArray();
    }
  }

  private static double difference(float[] some, float[] others) {
    double[] differences = new double[some.length];
    Arrays.setAll(differences, i -> Math.abs(some[i] - others[i]));
    return Arrays.stream(differences).max().orElseThrow();
  }
}
