package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tensors in the place of pictures that are prompts say all that adapters see, or are refused. */
class ShownTensorsTest {
  private static final Path SCHNELL = Requests.directory("flux_schnell_tiny");

  private static final InputConfig GUIDED =
      InputConfig.builder("a red fox")
          .size(32, 32)
          .numInferenceSteps(1)
          .maxSequenceLength(20)
          .negativePrompts("blurry")
          .trueCfgScale(3)
          .build();

  private static final InputConfig PLAIN =
      InputConfig.builder("a red fox")
          .size(32, 32)
          .numInferenceSteps(1)
          .maxSequenceLength(20)
          .build();

  @TempDir Path scratch;

  /** {@code model} refuses one picture of 20 values of each name. */
  private static void refused(
      ModelConfig model, InputConfig input, String message, String... names) {
    Torch.prepareThread(1);
    EngineConfig engine = EngineConfig.builder(model).build();
    try (NDManager manager = Torch.newManager();
        XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      GivenTensors given =
          new GivenTensors(
              null,
              Stream.of(names)
                  .collect(
                      Collectors.toMap(
                          Function.identity(), name -> manager.ones(new Shape(1, 1, 20)))));
      assertThatThrownBy(() -> ranks.generate(input, given, ProgressListener.NONE).close())
          .isInstanceOf(ArgumentException.class)
          .hasMessage(message);
    }
  }

  @Test
  void eachAdapterHasATensorIfOneHas() {
    ModelConfig model = ShownPictures.with(SCHNELL, "schnell.safetensors", "other.safetensors");
    refused(
        model,
        PLAIN,
        "there must be one of ip_adapter_image_embeds, ip_adapter_image_embeds_2 for each of 2"
            + " ip_adapter",
        "ip_adapter_image_embeds");
    refused(
        model,
        GUIDED,
        "there must be one of negative_ip_adapter_image_embeds, negative_ip_adapter_image_embeds_2"
            + " for each of 2 ip_adapter",
        "ip_adapter_image_embeds",
        "ip_adapter_image_embeds_2",
        "negative_ip_adapter_image_embeds_2");
  }

  @Test
  void aTensorReplacesNoPictureThatIsGiven() {
    ModelConfig model = ShownPictures.with(SCHNELL, "schnell.safetensors");
    refused(
        model,
        ShownPictures.show(PLAIN, "hills.png"),
        "ip_adapter_image_embeds stands for ip_adapter_image, and both are given",
        "ip_adapter_image_embeds");
    InputConfigBuilder avoiding =
        GUIDED.toBuilder()
            .set(InputConfig.NEGATIVE_IP_ADAPTER_IMAGE, ShownPictures.pictures(List.of("dot.png")));
    refused(
        model,
        avoiding.build(),
        "negative_ip_adapter_image_embeds stands for negative_ip_adapter_image, and both are given",
        "negative_ip_adapter_image_embeds");
  }

  /** Before a rank begins: without an encoder nothing makes it. */
  @Test
  void whatStandsForNoPictureMustBeGivenWhereNothingMakesIt() throws IOException {
    Path alone = scratch.resolve("alone.safetensors");
    Files.copy(ShownPictures.FOLDER.resolve("schnell.safetensors"), alone);
    ModelConfig model =
        ModelConfig.builder(SCHNELL).set(ModelConfig.IP_ADAPTER, List.of(alone.toString())).build();
    String needed =
        " must be given, or the model be opened with image_encoder, which makes what stands for no"
            + " picture";
    refused(model, GUIDED, "negative_ip_adapter_image_embeds" + needed, "ip_adapter_image_embeds");
    refused(model, GUIDED, "ip_adapter_image_embeds" + needed, "negative_ip_adapter_image_embeds");
  }
}
