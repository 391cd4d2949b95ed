package io.xfuser.models.internal.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Lora;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraFileTest {
  private static final Path LORAS = Path.of("src/test/resources/fixtures/loras");

  /** A transformer of one layer, by Flux' names. */
  private static final Map<String, long[]> TRANSFORMER =
      Map.of(
          "single_transformer_blocks.0.proj_mlp.weight", new long[] {8, 4},
          "single_transformer_blocks.0.proj_mlp.bias", new long[] {8},
          "x_embedder.weight", new long[] {4, 6});

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "flux_diffusers, DIFFUSERS, '[2, 4]', Flux.1",
    "flux_ranks, DIFFUSERS, '[2, 3, 4]', Flux.1 or Stable Diffusion 3",
    "flux_kohya, KOHYA, '[3]', Flux.1",
    "flux_comfyui, COMFYUI, '[3]', Flux.1",
    "flux_onetrainer, KOHYA, '[3]', Flux.1",
    "flux_xlabs, XLABS, '[3]', Flux.1",
    "flux_lightning, PLAIN, '[3]', Flux.1 or Stable Diffusion 3",
    "flux_lycoris, LYCORIS, '[3]', Flux.1",
    "sd3_kohya, KOHYA, '[3]', Stable Diffusion 3",
    "pixart_peft/adapter_model, PEFT, '[2, 3]', PixArt or LTX",
    "pixart_original, KOHYA, '[3]', PixArt"
  })
  void aFileIsKnownByItsNames(String name, LoraStyle style, String ranks, String target) {
    try (LoraFile file = LoraFile.open(LORAS.resolve(name + ".safetensors"))) {
      assertThat(file.style()).isEqualTo(style);
      assertThat(file.ranks()).hasToString(ranks);
      assertThat(file.target()).isEqualTo(target);
      assertThat(file.size()).isPositive();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "lora_unet_down_blocks_0_attentions_0_proj_in, 'the U-Net of Stable Diffusion 1, 2 or XL'",
    "diffusion_model.blocks.0.self_attn.q, Wan",
    "transformer.transformer_blocks.0.img_mlp.net.2, Qwen-Image",
    "diffusion_model.layers.0.attention.qkv, Z-Image or Lumina",
    "transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj, Flux.2",
    "foo.bar, a model that its names do not tell"
  })
  void aLoraOfAnotherModelIsSaidToBeOne(String module, String target) throws IOException {
    Path file =
        written(Map.of(module + ".lora_down.weight", s(2, 4), module + ".lora_up.weight", s(8, 2)));
    assertThatThrownBy(() -> check(file, false))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "%s is a LoRA for %s, not for flux: 0 of its 1 modules fit, \"%s\" does not"
                .formatted(file, target, module + ".lora_down.weight"));
    assertThatThrownBy(() -> check(file, true)).hasMessageContaining("not for flux");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLoraThatFitsByChanceIsSaidToBeOfAnotherModel(boolean lenient) {
    Path file = LORAS.resolve("pixart_peft/adapter_model.safetensors");
    try (FileWeights flux =
        FileWeights.openFile(
            LORAS.resolveSibling("flux_dev_tiny/transformer/diffusion_pytorch_model.safetensors"),
            null)) {
      Map<String, long[]> shapes =
          flux.names().stream().collect(Collectors.toMap(name -> name, flux::shape));
      LoraCheck check = new LoraCheck("flux", Map.of("transformer", shapes));
      assertThatThrownBy(() -> check.changed(Lora.of("x", file, 1), lenient))
          .hasMessageStartingWith(
              file + " is a LoRA for PixArt or LTX, not for flux: 1 of its 12 modules fit, ")
          .hasMessageNotContaining("ignore_unknown");
    }
  }

  @Test
  void aWholeTransformerIsNoLora() throws IOException {
    assertRefused(
        Map.of("single_transformer_blocks.0.attn.norm_k.weight", s(4)),
        "is no LoRA: none of its 1 tensors has such a name,"
            + " \"single_transformer_blocks.0.attn.norm_k.weight\" for example");
  }

  @ParameterizedTest
  @EnumSource(names = "BOOL", mode = EnumSource.Mode.EXCLUDE)
  void alphaIsANumberOfAnyType(ElementType type) throws IOException {
    Path file = folder.resolve("x.safetensors");
    try (NDManager manager = Torch.newManager()) {
      NDArray alpha = Torch.cast(manager, manager.create(6f), type);
      SafeTensorsWriter.write(
          file,
          Map.of(
              "x_embedder.alpha", alpha,
              "x_embedder.lora_down.weight", manager.ones(new Shape(2, 6)),
              "x_embedder.lora_up.weight", manager.ones(new Shape(4, 2))));
    }
    check(file, false);
    try (LoraFile lora = LoraFile.open(file)) {
      assertThat(lora.scale(lora.modules().iterator().next(), 2)).isEqualTo(3);
    }
  }

  private static long[] s(long... shape) {
    return shape;
  }

  private static void check(Path file, boolean lenient) {
    new LoraCheck("flux", Map.of("transformer", TRANSFORMER))
        .changed(Lora.of("x", file, 1), lenient);
  }

  private Path written(Map<String, long[]> shapes) throws IOException {
    return written(shapes, Map.of());
  }

  private Path written(Map<String, long[]> shapes, Map<String, String> texts) throws IOException {
    Path file = folder.resolve("x.safetensors");
    try (NDManager manager = Torch.newManager()) {
      Map<String, NDArray> tensors = new TreeMap<>();
      shapes.forEach((name, shape) -> tensors.put(name, manager.ones(new Shape(shape))));
      SafeTensorsWriter.write(file, tensors, texts);
    }
    return file;
  }

  @Test
  void aKeyThatFitsNothingIsNamedUnlessItIsToBeLeftOut() throws IOException {
    Path file =
        written(
            Map.of(
                "x_embedder.lora_A.weight", s(2, 6),
                "x_embedder.lora_B.weight", s(4, 2),
                "y_embedder.lora_A.weight", s(2, 6),
                "y_embedder.lora_B.weight", s(4, 2),
                "something", s(1)));
    assertThatThrownBy(() -> check(file, false))
        .hasMessage(
            file
                + ": \"something\" and 1 others fit nothing in flux; lora_ignore_unknown goes on"
                + " without");
    check(file, true);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 7 | 4 2 | has the shape [2, 7] and \"x_embedder.lora_B.weight\" [4, 2], but"
            + " transformer's x_embedder has [4, 6]",
        "2 6 | 5 2 | has the shape [2, 6] and \"x_embedder.lora_B.weight\" [5, 2], but"
            + " transformer's x_embedder has [4, 6]",
        "3 6 | 4 2 | has the shape [3, 6] and \"x_embedder.lora_B.weight\" [4, 2], but"
            + " transformer's x_embedder has [4, 6]",
        "6 | 4 2 | has the shape [6] and \"x_embedder.lora_B.weight\" [4, 2], but transformer's"
            + " x_embedder has [4, 6]"
      })
  void aShapeThatDoesNotFitIsNamedWithBothShapes(String down, String up, String wrong)
      throws IOException {
    Path file =
        written(
            Map.of(
                "x_embedder.lora_A.weight",
                numbers(down),
                "x_embedder.lora_B.weight",
                numbers(up)));
    assertThatThrownBy(() -> check(file, true))
        .hasMessage(file + ": \"x_embedder.lora_A.weight\" " + wrong);
  }

  private static long[] numbers(String text) {
    return Arrays.stream(text.split(" ", -1)).mapToLong(Long::parseLong).toArray();
  }

  @Test
  void whatIsNotWholeOrNotSupportedIsRefused() throws IOException {
    assertRefused(Map.of("x_embedder.lora_A.weight", s(2, 6)), "has no other matrix beside it");
    assertRefused(Map.of("x_embedder.alpha", s(1)), "has no matrices beside it");
    assertRefused(
        Map.of("x_embedder.diff_b", s(4)), "changes a bias, but transformer's x_embedder has none");
    assertRefused(
        Map.of(
            "x_embedder.lora_down.weight", s(2, 6),
            "x_embedder.lora_up.weight", s(4, 2),
            "x_embedder.lora_mid.weight", s(2, 2, 3, 3)),
        "is of a kind that is not supported");
    assertRefused(
        Map.of(
            "x_embedder.lora_down.weight", s(2, 6),
            "x_embedder.lora_up.weight", s(4, 2),
            "x_embedder.alpha", s(2)),
        "has the shape [2], but is one number");
    assertRefused(
        Map.of(
            "x_embedder.lora_down.weight", s(2, 6),
            "x_embedder.lora_up.weight", s(4, 2),
            "x_embedder.dora_scale", s(5, 1)),
        "has the shape [5, 1], but transformer's x_embedder has [4, 6]");
    assertRefused(
        Map.of("x_embedder.lokr_w1", s(2, 2), "x_embedder.lokr_w2", s(2, 2)),
        "is of factors [2, 2] and [2, 2], but transformer's x_embedder has [4, 6]");
    assertRefused(
        Map.of(
            "transformer.x_embedder.lora_A.weight", s(2, 6),
            "transformer.double_blocks.0.img_attn.norm.key_norm.scale", s(2)),
        "is a control LoRA");
  }

  private void assertRefused(Map<String, long[]> shapes, String message) throws IOException {
    Path file = written(shapes);
    assertThatThrownBy(() -> check(file, true))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"(.*.*.*.*.*.*)*z", "(", "[a"})
  void aPatternThatIsNoneOrNeverEndsIsRefused(String pattern) throws IOException {
    String name = "a".repeat(60) + "!";
    Path file =
        written(
            Map.of(
                "transformer." + name + ".lora_A.weight", s(2, 6),
                "transformer." + name + ".lora_B.weight", s(4, 2)),
            Map.of(
                "lora_adapter_metadata",
                "{\"transformer.r\":2,\"transformer.lora_alpha\":2,\"transformer.alpha_pattern\":{\""
                    + pattern
                    + "\":3}}"));
    try (LoraFile lora = LoraFile.open(file)) {
      LoraModule module = lora.modules().iterator().next();
      assertThatThrownBy(() -> lora.scale(module, 2))
          .hasMessageContaining("has the unusable pattern " + pattern);
    }
  }

  @Test
  void peftsSettingsMustBeThoseOfTheMatrices() throws IOException {
    Path file =
        written(
            Map.of(
                "transformer.x_embedder.lora_A.weight", s(2, 6),
                "transformer.x_embedder.lora_B.weight", s(4, 2)),
            Map.of("lora_adapter_metadata", "{\"transformer.r\":3,\"transformer.lora_alpha\":2}"));
    assertThatThrownBy(() -> check(file, true))
        .hasMessage(
            file + ": lora_adapter_metadata says that x_embedder has the rank 3, but it has 2");
  }

  @Test
  void theSameLoraInTwoStylesCountsOnce() throws IOException {
    Path file =
        written(
            Map.of(
                "transformer.x_embedder.lora_A.weight", s(2, 6),
                "transformer.x_embedder.lora_B.weight", s(4, 2),
                "lora_unet_x_embedder.lora_down.weight", s(2, 6),
                "lora_unet_x_embedder.lora_up.weight", s(4, 2)));
    try (LoraFile lora = LoraFile.open(file)) {
      LoraFit fit = LoraFit.of(lora, LoraTargets.of("transformer", TRANSFORMER), 1);
      assertThat(fit.changes().get("x_embedder.weight"))
          .singleElement()
          .satisfies(one -> assertThat(one.module().name()).isEqualTo("transformer.x_embedder"));
    }
    Files.delete(file);
    assertRefused(
        Map.of(
            "lora_unet_x_embedder.lora_down.weight", s(2, 6),
            "lora_unet_x_embedder.lora_up.weight", s(4, 2),
            "lycoris_x_embedder.diff", s(4, 6)),
        "both change x_embedder.weight");
  }
}
