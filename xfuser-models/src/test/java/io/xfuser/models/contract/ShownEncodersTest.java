package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What sees pictures that are prompts, as it is published, and what is none of it. */
class ShownEncodersTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path DEV = Requests.directory("flux_dev_tiny");
  private static final Path ENCODER = ShownPictures.FOLDER.resolve("image_encoder");
  private static final String NAMED =
      "\"image_encoder\": [\"transformers\", \"%s\"],%n  \"scheduler\"";

  @TempDir Path scratch;

  private static ModelConfig.Builder model(Path directory) {
    return ModelConfig.builder(directory)
        .set(ModelConfig.IP_ADAPTER, List.of(ShownPictures.FOLDER.resolve("dev.safetensors") + ""));
  }

  /** What the encoder in {@code place} sees, (1, 1, 20). */
  private static NDArray seen(NDManager manager, Path place) {
    ModelConfig model = model(DEV).part("image_encoder", place).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model);
        PictureEncoder encoder = pipeline.model().pictureEncoder(Placement.CPU).orElseThrow()) {
      return encoder.see(
          manager,
          List.of(PictureFile.read("image", ShownPictures.pictures(List.of("hills.png")).get(0))));
    }
  }

  private static ObjectNode settings() throws IOException {
    return (ObjectNode) JSON.readTree(ENCODER.resolve("config.json").toFile());
  }

  /** {@code CLIPModel}, as openai/clip-vit-large-patch14 is: texts beside pictures. */
  private Path ofBoth(NDManager manager, ObjectNode vision) throws IOException {
    Path folder = Files.createDirectories(scratch.resolve("clip" + vision.hashCode()));
    ObjectNode config = JSON.createObjectNode().put("model_type", "clip");
    config.putArray("architectures").add("CLIPModel");
    config.set("projection_dim", vision.remove("projection_dim"));
    vision.remove("architectures");
    config.set("vision_config", vision);
    config.putObject("text_config").put("model_type", "clip_text_model").put("hidden_size", 16);
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    OneFile both = new OneFile(manager).add(ENCODER, "").add(DEV.resolve("text_encoder"), "");
    both.tensors().put("text_projection.weight", manager.zeros(new Shape(20, 16)));
    both.tensors().put("logit_scale", manager.ones(new Shape()));
    both.write(folder.resolve("model.safetensors"));
    return folder;
  }

  @Test
  void anEncoderMayBeTheHalfOfAModelOfTextsAndPictures() throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      NDArray found = seen(manager, ofBoth(manager, settings()));
      assertThat(Pixels.largestDifference(found, seen(manager, ENCODER))).isZero();
    }
  }

  /** Whose heads and activation no shape tells: of a narrow one they are one and the quick GELU. */
  @Test
  void anEncoderMayBeAFileWithItsProjection() throws IOException {
    Torch.prepareThread(1);
    ObjectNode told = settings().put("num_attention_heads", 1).put("hidden_act", "quick_gelu");
    try (NDManager manager = Torch.newManager()) {
      Path folder = ofBoth(manager, told);
      NDArray expected = seen(manager, folder);
      assertThat(Pixels.largestDifference(seen(manager, ENCODER), expected)).isGreaterThan(1e-3f);
      for (Path file : List.of(folder, ENCODER)) {
        NDArray found = seen(manager, file.resolve("model.safetensors"));
        assertThat(found.getShape()).isEqualTo(new Shape(1, 1, 20));
        assertThat(Pixels.largestDifference(found, expected)).isZero();
      }
    }
  }

  /** A model of {@code className} with an encoder of pictures in its index, without the folder. */
  private Path named(String className) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(DEV, scratch.resolve(className));
    copy.rewrite("model_index.json", "\"scheduler\"", NAMED.formatted(className));
    return copy.directory();
  }

  @Test
  void anEncoderThatTheIndexNamesIsWantedByAdaptersAlone() throws IOException {
    Path siglip = named("SiglipVisionModel");
    for (Path directory : List.of(siglip, named("CLIPVisionModelWithProjection"))) {
      ModelConfig plain = ModelConfig.builder(directory).build();
      try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(plain)) {
        assertThat(pipeline.model().resolve(InputConfig.builder("a red fox").build())).isNotNull();
      }
    }
    Files.createDirectories(siglip.resolve("image_encoder"));
    Files.copy(ENCODER.resolve("config.json"), siglip.resolve("image_encoder/config.json"));
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model(siglip).build()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("image_encoder is SiglipVisionModel, but only ");
  }

  @Test
  void anAdaptersProjectionIsAMatrix() throws IOException {
    Torch.prepareThread(1);
    Path file = scratch.resolve("scalar.safetensors");
    try (NDManager manager = Torch.newManager()) {
      SafeTensorsWriter.write(file, Map.of("image_proj.proj.weight", manager.ones(new Shape())));
    }
    ModelConfig model =
        ModelConfig.builder(DEV).set(ModelConfig.IP_ADAPTER, List.of(file.toString())).build();
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            file
                + ": tensor \"image_proj.proj.weight\" has the shape [], but the model needs a"
                + " matrix");
  }

  /**
   * XLabs' second adapter makes 16 tokens of a picture: here each of four four times, which are
   * attended as those four are.
   */
  @Test
  void anAdapterMayMakeMoreTokensOfAPicture() throws IOException {
    Path folder = Files.createDirectories(scratch.resolve("v2"));
    Path file = folder.resolve("dev.safetensors");
    Files.copy(ShownPictures.FOLDER.resolve("dev.safetensors"), file);
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      OneFile wide = new OneFile(manager).add(folder, "");
      for (String name : List.of("weight", "bias")) {
        wide.tensors()
            .computeIfPresent(
                "ip_adapter_proj_model.proj." + name,
                (key, four) -> Torch.concat(manager, Collections.nCopies(4, four), 0));
      }
      Path sixteen = wide.write(scratch.resolve("sixteen.safetensors"));
      NDArray expected = drawn(manager, file);
      assertThat(Pixels.largestDifference(drawn(manager, sixteen), expected))
          .isLessThanOrEqualTo(1e-5);
      assertThat(Files.size(sixteen)).isGreaterThan(Files.size(file));
    }
  }

  private static NDArray drawn(NDManager manager, Path adapter) {
    InputConfig input =
        InputConfig.builder("a red fox")
            .size(48, 48)
            .numInferenceSteps(2)
            .maxSequenceLength(20)
            .outputType(OutputType.PT)
            .build();
    ModelConfig model =
        ModelConfig.builder(DEV)
            .set(ModelConfig.IP_ADAPTER, List.of(adapter.toString()))
            .part("image_encoder", ENCODER)
            .build();
    EngineConfig engine = EngineConfig.builder(model).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(ShownPictures.show(input, "hills.png"))) {
      return Torch.copy(manager, generation.tensor());
    }
  }
}
