package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures that are prompts: given as tensors, and what is refused before anything is computed. */
class ShownRequestsTest {
  private static final Path SCHNELL = Requests.directory("flux_schnell_tiny");
  private static final Path DEV = Requests.directory("flux_dev_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(48, 48)
          .numInferenceSteps(2)
          .maxSequenceLength(20)
          .outputType(OutputType.PT)
          .build();

  private static final InputConfig GUIDED =
      FOX.toBuilder().negativePrompts("blurry").trueCfgScale(3).build();

  @TempDir Path scratch;

  private static NDArray drawn(
      NDManager manager, DiffusionPipeline pipeline, InputConfig input, GivenTensors given) {
    EngineConfig engine = EngineConfig.builder(DEV).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input, given, ProgressListener.NONE)) {
      return Torch.alias(manager, generation.tensor());
    }
  }

  /** Beside texts that are encoded, beside those that are given, and with a negative one or not. */
  @Test
  void whatPicturesAreSeenAsMayBeGiven() {
    ModelConfig model = ShownPictures.with(DEV, "dev.safetensors:0.7");
    InputConfig shown = ShownPictures.show(GUIDED, "hills.png");
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model);
        PictureEncoder encoder = pipeline.model().pictureEncoder(Placement.CPU).orElseThrow()) {
      NDArray seen = // (1, 1, 20)
          encoder.see(
              manager,
              List.of(
                  PictureFile.read("image", ShownPictures.pictures(List.of("hills.png")).get(0))));
      NDArray none = encoder.see(manager, List.of());
      String name = PicturePrompts.tensor(0);
      NDArray expected = drawn(manager, pipeline, shown, GivenTensors.NONE);
      Map<String, NDArray> both = Map.of(name, seen, InputConfig.NEGATIVE + name, none);
      for (Map<String, NDArray> given : List.of(both, Map.of(name, seen))) {
        NDArray found = drawn(manager, pipeline, GUIDED, new GivenTensors(null, given));
        assertThat(Pixels.largestDifference(found, expected)).isZero();
      }
      NDArray plain = drawn(manager, pipeline, GUIDED, GivenTensors.NONE);
      assertThat(Pixels.largestDifference(plain, expected)).isGreaterThan(0.05);
      assertThatThrownBy(
              () ->
                  drawn(
                      manager,
                      pipeline,
                      GUIDED,
                      new GivenTensors(null, Map.of(PicturePrompts.tensor(1), seen))))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(
              "ip_adapter_image_embeds_2 is given, but the model is opened with 1 ip_adapter");
      assertThatThrownBy(
              () ->
                  drawn(
                      manager,
                      pipeline,
                      GUIDED,
                      new GivenTensors(null, Map.of(name, manager.zeros(new Shape(1, 20))))))
          .isInstanceOf(ArgumentException.class)
          .hasMessageStartingWith("ip_adapter_image_embeds has the shape (1, 20), but must have");
    }
  }

  /** A model with adapters draws as one without where no picture is shown. */
  @Test
  void withoutPicturesAdaptersChangeNothing() {
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline with =
            DiffusionPipeline.fromPretrained(ShownPictures.with(DEV, "dev.safetensors"));
        DiffusionPipeline without =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(DEV).build())) {
      NDArray expected = drawn(manager, without, GUIDED, GivenTensors.NONE);
      NDArray found = drawn(manager, with, GUIDED, GivenTensors.NONE);
      assertThat(Pixels.largestDifference(found, expected)).isZero();
    }
  }

  @Test
  void picturesNeedAdaptersAndAnEncoder() throws IOException {
    InputConfig shown = ShownPictures.show(FOX, "hills.png");
    ShownPictures.refused(
        ModelConfig.builder(SCHNELL).build(),
        shown,
        "ip_adapter_image needs ip_adapter, with which the model is opened");
    ShownPictures.refused(
        ShownPictures.with(SCHNELL, "schnell.safetensors", "other.safetensors"),
        shown,
        "there must be a picture for each of 2 ip_adapter, but there are 1 of ip_adapter_image");
    Path alone = scratch.resolve("alone.safetensors");
    Files.copy(ShownPictures.FOLDER.resolve("schnell.safetensors"), alone);
    ShownPictures.refused(
        ShownPictures.alone(SCHNELL, alone),
        shown,
        "ip_adapter_image needs image_encoder, with which the model is opened");
    ShownPictures.refused(
        ShownPictures.with(Requests.directory("pixart_sigma_tiny"), "dev.safetensors"),
        shown,
        "PixArtSigmaPipeline takes no ip_adapter");
  }

  @Test
  void anAdapterOfAnotherTransformerIsRefusedByItsFile() throws IOException {
    Path other = ShownPictures.FOLDER.resolve("dev.safetensors");
    ShownPictures.refused(
        ShownPictures.with(SCHNELL, "dev.safetensors"),
        FOX,
        other
            + ": tensor \"0.to_k_ip.weight\""
            + " (\"double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight\" in the file)"
            + " has the shape [48, 32], but the model needs [36, 32]");
    ShownPictures.refused(
        ShownPictures.with(SCHNELL, "schnell.safetensors:0.5,1"),
        FOX,
        "ip_adapter has 2 scales, but the transformer has 3 blocks with adapters");
    Path vae = SCHNELL.resolve("vae/diffusion_pytorch_model.safetensors");
    ShownPictures.refused(
        ShownPictures.alone(SCHNELL, vae), FOX, vae + " has no tensor \"image_proj.proj.weight\"");
    Path broken = Files.writeString(scratch.resolve("broken.safetensors"), "nothing");
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(ShownPictures.alone(SCHNELL, broken)))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(broken.toString());
    Path pickle = Files.writeString(scratch.resolve("ip-adapter.bin"), "PK");
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(ShownPictures.alone(SCHNELL, pickle)))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(pickle + " is a pickle, which is not read: convert it once");
    assertThatThrownBy(
            () ->
                DiffusionPipeline.fromPretrained(
                    ShownPictures.alone(SCHNELL, Path.of("none.safetensors"))))
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("there is no IP-Adapter none.safetensors");
  }

  /** Every reader fails in a sentence of its own, whatever is cut off or overwritten. */
  @Test
  void damagedAdaptersAreRefusedInASentence() throws IOException {
    byte[] whole = Files.readAllBytes(ShownPictures.FOLDER.resolve("schnell.safetensors"));
    for (int end : List.of(0, 7, 8, 100, whole.length / 2, whole.length - 1)) {
      Path cut = scratch.resolve("cut" + end + ".safetensors");
      Files.write(cut, Arrays.copyOf(whole, end));
      assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(ShownPictures.alone(SCHNELL, cut)))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining(cut.toString());
    }
  }

  @Test
  void scalesAreFiniteNumbers() {
    assertThatThrownBy(
            () -> ModelConfig.builder(DEV).set(ModelConfig.IP_ADAPTER, List.of("a:1e999")).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("ip_adapter must have finite scales, but is a:1e999");
  }
}
