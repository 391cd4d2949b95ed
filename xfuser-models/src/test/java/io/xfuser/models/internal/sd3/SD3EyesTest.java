package io.xfuser.models.internal.sd3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.contract.ShownPictures;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SigLIP's encoders, how they see pictures, and resamplers that are none. */
class SD3EyesTest {
  private static final Path SD3 = Requests.directory("sd3_tiny");
  private static final Path ENCODER = ShownPictures.TIMED.resolve("image_encoder");
  private static final String VIEW = "preprocessor_config.json";

  @TempDir Path scratch;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  private static ModelConfig.Builder model(Path directory) {
    return ModelConfig.builder(directory)
        .set(
            ModelConfig.IP_ADAPTER,
            List.of(ShownPictures.TIMED.resolve("sd3.safetensors").toString()));
  }

  private static NDArray seen(NDManager manager, ModelConfig model) {
    Picture hills = Picture.of(ShownPictures.TIMED.resolve("hills.png"));
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model);
        PictureEncoder encoder = pipeline.model().pictureEncoder(Placement.CPU).orElseThrow()) {
      return encoder.see(manager, List.of(PictureFile.read("image", hills)));
    }
  }

  /** As google's files are: both halves, with what comes after the last layer. */
  @Test
  void anEncoderMayBeAFileOfTextsAndPictures() throws IOException {
    try (NDManager manager = Torch.newManager()) {
      OneFile both = new OneFile(manager).add(ENCODER, "");
      assertThat(both.tensors()).containsKey("vision_model.head.attention.in_proj_weight");
      String text = "text_model.";
      String layer = text + "encoder.layers.0.";
      Map<String, Shape> shapes =
          Map.of(
              text + "embeddings.token_embedding.weight",
              new Shape(40, 24),
              text + "embeddings.position_embedding.weight",
              new Shape(8, 24),
              layer + "self_attn.q_proj.weight",
              new Shape(24, 24),
              layer + "mlp.fc1.weight",
              new Shape(40, 24),
              text + "final_layer_norm.weight",
              new Shape(24),
              text + "head.weight",
              new Shape(24, 24),
              "logit_scale",
              new Shape(1),
              "logit_bias",
              new Shape(1));
      shapes.forEach((name, shape) -> both.tensors().put(name, manager.ones(shape)));
      Path file = both.write(scratch.resolve("siglip.safetensors"));
      assertThat(Checkpoint.read(file).components())
          .extracting(found -> found.format().title())
          .containsExactly("a SigLIP picture encoder"); // no CLIP text encoder
      Path pictures = ENCODER.resolve("model.safetensors");
      NDArray expected = seen(manager, model(SD3).part("image_encoder", pictures).build());
      NDArray found = seen(manager, model(SD3).part("image_encoder", file).build());
      assertThat(Pixels.largestDifference(found, expected)).isZero();
    }
  }

  @Test
  void aFileOfAWidthWhoseHeadsNobodyKnowsIsRefused() throws IOException {
    Path file = scratch.resolve("siglip.safetensors");
    String embeddings = "vision_model.embeddings.";
    try (NDManager manager = Torch.newManager()) {
      SafeTensorsWriter.write(
          file,
          Map.of(
              embeddings + "patch_embedding.weight",
              manager.ones(new Shape(96, 3, 7, 7)),
              embeddings + "position_embedding.weight",
              manager.ones(new Shape(16, 96)),
              "vision_model.encoder.layers.0.mlp.fc1.bias",
              manager.ones(new Shape(40))));
    }
    ModelConfig model = model(SD3).part("image_encoder", file).build();
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            file
                + " is a SigLIP picture encoder of width 96, whose heads its weights do not tell:"
                + " give its folder, with config.json");
  }

  private DirectoryCopy darker(String name) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(SD3, scratch.resolve(name));
    copy.rewrite(
        "model_index.json",
        "\"scheduler\"",
        "\"feature_extractor\": [\"transformers\", \"SiglipImageProcessor\"], \"scheduler\"");
    Path extractor = Files.createDirectories(copy.directory().resolve("feature_extractor"));
    Files.copy(ENCODER.resolve(VIEW), extractor.resolve(VIEW));
    copy.rewrite(
        "feature_extractor/" + VIEW, "\"image_std\": [\n    0.5", "\"image_std\": [\n    0.7");
    return copy;
  }

  /** Diffusers reads both with an adapter, and neither where the pipeline has its own. */
  @Test
  void whatPreparesPicturesBelongsToTheEncoderThatSeesThem() throws IOException {
    DirectoryCopy without = darker("without");
    DirectoryCopy own = darker("own");
    own.rewrite(
        "model_index.json",
        "\"scheduler\"",
        "\"image_encoder\": [\"transformers\", \"SiglipVisionModel\"], \"scheduler\"");
    DirectoryCopy.of(ENCODER, own.directory().resolve("image_encoder"));
    try (NDManager manager = Torch.newManager()) {
      NDArray expected = seen(manager, model(SD3).build());
      for (ModelConfig model :
          List.of(
              model(without.directory()).build(),
              model(without.directory()).part("image_encoder", ENCODER).build(),
              model(own.directory()).part("image_encoder", ENCODER).build())) {
        assertThat(Pixels.largestDifference(seen(manager, model), expected)).isZero();
      }
      NDArray darker = seen(manager, model(own.directory()).build());
      assertThat(Pixels.largestDifference(darker, expected)).isGreaterThan(1e-3);
    }
  }

  @Test
  void aResamplerOfOtherShapesIsRefused() throws IOException {
    String resampler = "image_proj.";
    Path file = scratch.resolve("alone.safetensors");
    try (NDManager manager = Torch.newManager()) {
      for (long inner : new long[] {64, 80}) {
        SafeTensorsWriter.write(
            file,
            Map.of(
                resampler + "latents", manager.ones(new Shape(5, 16)),
                resampler + "proj_in.weight", manager.ones(new Shape(16, 24)),
                resampler + "layers.0.attn.to_q.weight", manager.ones(new Shape(inner, 16))));
        ShownPictures.refused(
            ShownPictures.alone(SD3, file),
            Requests.two("sd3_tiny"),
            file
                + (inner == 64
                    ? ": image_proj.latents has the shape [5, 16], but the model needs (1, tokens,"
                        + " width)"
                    : ": a resampler whose queries are 80 wide has no heads of 64"));
      }
    }
  }
}
