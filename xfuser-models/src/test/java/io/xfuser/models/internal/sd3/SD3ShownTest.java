package io.xfuser.models.internal.sd3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.Picture;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GivenTensors;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.contract.ShownPictures;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures that are prompts: what does nothing, what is opened, and what is refused. */
class SD3ShownTest {
  private static final Path TIMED = ShownPictures.TIMED;
  private static final Path MEDIUM = Requests.directory("sd35_medium_tiny");
  private static final Path SD3 = Requests.directory("sd3_tiny");

  private static final InputConfig FOX = ShownPictures.FOX;
  private static final InputConfig SHOWN = ShownPictures.show(TIMED, FOX, "hills.png");

  @TempDir Path scratch;

  private static ModelConfig with(Path directory, String adapter) {
    return ShownPictures.from(TIMED, directory, adapter);
  }

  private static NDArray drawn(NDManager manager, ModelConfig model, InputConfig input) {
    return drawn(manager, EngineConfig.builder(model).build(), input);
  }

  private static NDArray drawn(NDManager manager, EngineConfig engine, InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(input)) {
      return Torch.copy(manager, generation.tensor());
    }
  }

  @Test
  void withoutAPictureOrByAScaleOfZeroAnAdapterChangesNothing() {
    try (NDManager manager = Torch.newManager()) {
      NDArray plain = drawn(manager, ModelConfig.builder(MEDIUM).build(), FOX);
      ModelConfig model = with(MEDIUM, "medium.safetensors");
      assertThat(Pixels.largestDifference(drawn(manager, model, FOX), plain)).isZero();
      ModelConfig none = with(MEDIUM, "medium.safetensors:0");
      assertThat(Pixels.largestDifference(drawn(manager, none, SHOWN), plain)).isZero();
      NDArray usual = drawn(manager, model, SHOWN);
      assertThat(Pixels.largestDifference(usual, plain)).isGreaterThan(0.05);
      ModelConfig half = with(MEDIUM, "medium.safetensors:0.5"); // diffusers' own
      assertThat(Pixels.largestDifference(drawn(manager, half, SHOWN), usual)).isZero();
    }
  }

  /** As near to fp32 with a picture as without, and layer by layer the same. */
  @Test
  void inHalfPrecisionAndLayerByLayerThePictureIsSeenToo() {
    ModelConfig model = with(MEDIUM, "medium.safetensors");
    EngineConfig engine = EngineConfig.builder(model).build();
    EngineConfig half = engine.toBuilder().runtime(r -> r.dtype(ElementType.BFLOAT16)).build();
    EngineConfig layers = engine.toBuilder().runtime(r -> r.offload(Offload.LAYERWISE)).build();
    try (NDManager manager = Torch.newManager()) {
      NDArray exact = drawn(manager, engine, SHOWN);
      assertThat(Pixels.largestDifference(drawn(manager, layers, SHOWN), exact)).isZero();
      double seen = Pixels.psnr(drawn(manager, half, SHOWN), exact);
      double plain = Pixels.psnr(drawn(manager, half, FOX), drawn(manager, engine, FOX));
      assertThat(seen).isGreaterThan(plain - 6);
    }
  }

  @Test
  void toSeeAPictureBesideGivenTextsNoTextEncoderIsOpened() {
    ModelConfig model = with(SD3, "sd3.safetensors");
    Set<Progress.Component> loaded = ConcurrentHashMap.newKeySet();
    ProgressListener listener =
        progress -> {
          if (progress instanceof Progress.Loading loading) {
            loaded.add(loading.component());
          }
          return true;
        };
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model);
        XDiTParallel ranks =
            XDiTParallel.inProcess(pipeline, EngineConfig.builder(model).build())) {
      Map<String, NDArray> texts =
          Map.of(
              "prompt_embeds", manager.ones(new Shape(1, 9, 48)),
              "negative_prompt_embeds", manager.zeros(new Shape(1, 9, 48)),
              "pooled_prompt_embeds", manager.ones(new Shape(1, 40)),
              "negative_pooled_prompt_embeds", manager.zeros(new Shape(1, 40)));
      InputConfig input = SHOWN.toBuilder().prompts().build();
      ranks.generate(input, new GivenTensors(null, texts), listener).close();
      assertThat(loaded)
          .contains(Progress.Component.PICTURE_ENCODER)
          .doesNotContain(Progress.Component.TEXT_ENCODER);
      long eyes = pipeline.model().bytes(Progress.Component.PICTURE_ENCODER);
      assertThat(pipeline.textEncoderBytes()).isPositive().isEqualTo(eyes);
    }
  }

  private Path copied(String adapter) throws IOException {
    Path copy = scratch.resolve("alone.safetensors");
    return Files.copy(TIMED.resolveSibling(adapter), copy, StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void anAdapterOfAnotherKindOrWidthIsRefused() throws IOException {
    Path flux = copied("ip_adapters/dev.safetensors"); // with no encoder beside it
    ShownPictures.refused(
        ShownPictures.alone(SD3, flux),
        FOX,
        flux + " is no IP-Adapter for Stable Diffusion 3: it has no resampler, image_proj.latents");
    Path medium = copied("timed_adapters/medium.safetensors");
    ShownPictures.refused(
        ShownPictures.alone(Requests.directory("flux_dev_tiny"), medium),
        FOX,
        medium + " has no tensor \"image_proj.proj.weight\"");
    ShownPictures.refused( // fewer attentions
        with(MEDIUM, "sd3.safetensors"),
        FOX,
        TIMED.resolve("sd3.safetensors") + " has no tensor \"6.norm_ip.linear.weight\"");
    ShownPictures.refused(
        ShownPictures.from(TIMED, SD3, "sd3.safetensors", "sd3.safetensors"),
        FOX,
        "Stable Diffusion 3 takes one ip_adapter, but 2 are given");
    ShownPictures.refused(
        with(SD3, "sd3.safetensors:0.5,1"),
        FOX,
        "Stable Diffusion 3 takes one scale of an ip_adapter, but 2 are given");
  }

  @Test
  void picturesAreRefusedThatNobodySees() throws IOException {
    ShownPictures.refused(
        ModelConfig.builder(SD3).build(),
        SHOWN,
        "ip_adapter_image needs ip_adapter, with which the model is opened");
    ShownPictures.refused(
        ShownPictures.alone(SD3, copied("timed_adapters/sd3.safetensors")),
        SHOWN,
        "ip_adapter_image needs image_encoder, with which the model is opened");
    List<Picture> two =
        List.of(Picture.of(TIMED.resolve("hills.png")), Picture.of(TIMED.resolve("tower.png")));
    ShownPictures.refused(
        with(SD3, "sd3.safetensors"),
        FOX.toBuilder().set(InputConfig.IP_ADAPTER_IMAGE, two).build(),
        "sd3 takes one ip_adapter_image, but 2 are given");
    ShownPictures.refused(
        with(SD3, "sd3.safetensors"),
        SHOWN.toBuilder().set(InputConfig.NEGATIVE_IP_ADAPTER_IMAGE, two).build(),
        "sd3 has no negative_ip_adapter_image");
  }

  @Test
  void anEncoderOfAnotherKindOrWidthIsRefused() throws IOException {
    Path clip = TIMED.resolveSibling("ip_adapters").resolve("image_encoder");
    assertThatThrownBy(
            () ->
                DiffusionPipeline.fromPretrained(
                    with(SD3, "sd3.safetensors").toBuilder().part("image_encoder", clip).build()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(
            "image_encoder is CLIPVisionModelWithProjection, but only SiglipVisionModel");
    DirectoryCopy wide = DirectoryCopy.of(TIMED.resolve("image_encoder"), scratch.resolve("wide"));
    wide.rewrite("config.json", "\"hidden_size\": 24", "\"hidden_size\": 48");
    assertThatThrownBy(
            () ->
                DiffusionPipeline.fromPretrained(
                    with(SD3, "sd3.safetensors").toBuilder()
                        .part("image_encoder", wide.directory())
                        .build()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("wide");
  }

  /** Google's files have the half that reads texts, too, and their settings say so. */
  @Test
  void anEncoderMayBeAFileOrTheHalfOfAModel() throws IOException {
    Path half =
        DirectoryCopy.of(TIMED.resolve("image_encoder"), scratch.resolve("half")).directory();
    Path settings = half.resolve("config.json");
    Files.writeString(
        settings,
        "{\"model_type\": \"siglip\", \"architectures\": [\"SiglipModel\"], \"vision_config\": %s}"
            .formatted(Files.readString(settings)));
    // of a file so narrow a head is all of it, and nothing is left over of a picture
    DirectoryCopy told = DirectoryCopy.of(TIMED.resolve("image_encoder"), scratch.resolve("told"));
    told.rewrite("config.json", "\"num_attention_heads\": 3", "\"num_attention_heads\": 1");
    told.rewrite("config.json", "\"image_size\": 30", "\"image_size\": 28");
    told.rewrite("preprocessor_config.json", "\"height\": 30", "\"height\": 28");
    told.rewrite("preprocessor_config.json", "\"width\": 30", "\"width\": 28");
    try (NDManager manager = Torch.newManager()) {
      NDArray expected = drawn(manager, with(SD3, "sd3.safetensors"), SHOWN);
      assertThat(Pixels.largestDifference(drawnBy(manager, half), expected)).isZero();
      NDArray other = drawnBy(manager, told.directory());
      assertThat(Pixels.largestDifference(other, expected)).isGreaterThan(1e-3);
      NDArray file = drawnBy(manager, told.directory().resolve("model.safetensors"));
      assertThat(Pixels.largestDifference(file, other)).isZero();
    }
  }

  private static NDArray drawnBy(NDManager manager, Path encoder) {
    ModelConfig model = with(SD3, "sd3.safetensors");
    return drawn(manager, model.toBuilder().part("image_encoder", encoder).build(), SHOWN);
  }
}
