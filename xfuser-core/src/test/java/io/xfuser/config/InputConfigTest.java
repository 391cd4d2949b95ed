package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class InputConfigTest {
  private static final InputConfig FOX = InputConfig.builder("a fox").build();
  private static final Picture FOX_PNG = Picture.of(Path.of("fox.png"));

  @Test
  void aPictureThatIsNoFileIsNotWaitedFor(@TempDir Path folder) {
    assertThatThrownBy(() -> Picture.of(folder).read())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the picture " + folder + " is no file");
  }

  @Test
  void whatIsNotGivenIsLeftToThePipeline() {
    assertThat(FOX.prompts()).containsExactly("a fox");
    assertThat(FOX.negativePrompts()).isEmpty();
    assertThat(FOX.classLabels()).isEmpty();
    assertThat(FOX.numImagesPerPrompt()).isEqualTo(1);
    assertThat(FOX.seed()).isEqualTo(42);
    assertThat(FOX.doClassifierFreeGuidance()).isFalse();
    assertThat(FOX.outputType()).isEqualTo(OutputType.PIL);
    assertThat(
            Stream.of(
                FOX.height(),
                FOX.width(),
                FOX.numFrames(),
                FOX.numInferenceSteps(),
                FOX.guidanceScale(),
                FOX.maxSequenceLength(),
                FOX.useResolutionBinning(),
                FOX.cleanCaption(),
                FOX.guidanceRescale(),
                FOX.eta(),
                FOX.trueCfgScale(),
                FOX.image(),
                FOX.maskImage(),
                FOX.strength(),
                FOX.paddingMaskCrop(),
                FOX.maxArea(),
                FOX.autoResize(),
                FOX.loras()))
        .containsOnlyNulls();
  }

  @Test
  void eachSetterSetsItsOwnSettingAlone() {
    InputConfig all =
        FOX.toBuilder()
            .negativePrompts("blur")
            .size(112, 144)
            .numFrames(16)
            .numInferenceSteps(7)
            .guidanceScale(4.5)
            .doClassifierFreeGuidance(true)
            .guidanceRescale(0.7)
            .trueCfgScale(2)
            .eta(0.5)
            .maxSequenceLength(120)
            .numImagesPerPrompt(2)
            .seed(-3)
            .useResolutionBinning(false)
            .cleanCaption(false)
            .image(Picture.of(Path.of("fox.png")))
            .maskImage(Picture.of(new byte[] {1, 2}))
            .strength(0.25)
            .paddingMaskCrop(32)
            .maxArea(4096)
            .autoResize(false)
            .outputType(OutputType.LATENT)
            .loras("x.safetensors:0.5")
            .build();
    assertThat(all)
        .hasToString(
            "InputConfig[prompt=[a fox], negative_prompt=[blur], height=112, width=144,"
                + " num_frames=16, num_inference_steps=7, guidance_scale=4.5,"
                + " do_classifier_free_guidance=true, guidance_rescale=0.7, true_cfg_scale=2.0,"
                + " eta=0.5, max_sequence_length=120, num_images_per_prompt=2, seed=-3, seeds=none,"
                + " use_resolution_binning=false, clean_caption=false, class_labels=none,"
                + " image=[fox.png], mask_image=a picture of 2 bytes, strength=0.25,"
                + " padding_mask_crop=32, max_area=4096, auto_resize=false, output_type=latent,"
                + " partial_images=0, preview_every=0, cache=none, cache_threshold=none,"
                + " cache_warmup_steps=none, cache_max_continuous=none, cache_whole_picture=false,"
                + " lora=[x.safetensors:0.5], prompt_2=none, prompt_3=none, negative_prompt_2=none,"
                + " negative_prompt_3=none, clip_skip=0, sigmas=none, timesteps=none, mu=none,"
                + " skip_guidance_layers=none, skip_layer_guidance_scale=2.8,"
                + " skip_layer_guidance_start=0.01, skip_layer_guidance_stop=0.2,"
                + " original_size=[1024, 1024], target_size=none, crops_coords_top_left=[0, 0],"
                + " mask_feature=true, enable_temporal_attentions=true, decode_chunk_size=14,"
                + " cfg_normalization=0.0, cfg_truncation=1.0, text_encoder_out_layers=none,"
                + " complex_human_instruction=none, max_timesteps=1.5708,"
                + " intermediate_timesteps=none, guidance_scale_2=none, use_dynamic_cfg=false,"
                + " last_image=none, ip_adapter_image=none, negative_ip_adapter_image=none]");
    assertThat(all.toBuilder().build()).isEqualTo(all).hasSameHashCodeAs(all).isNotEqualTo(FOX);
    assertThat(InputConfig.builder().classLabels(List.of(207, 0)).build().classLabels())
        .containsExactly(207, 0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "original_size | 7 | original_size must be two numbers, but is [7]",
        "prompt_2 | a, b | there must be no prompt_2, one, or one per prompt, but there are 2 for 1"
            + " prompt",
        "negative_prompt_3 | a, b | there must be no negative_prompt_3, one, or one per prompt, but"
            + " there are 2 for 1 prompt",
        "timesteps | 9, 9 | timesteps must descend, but are [9, 9]",
        "timesteps | 3, -1 | timesteps must be at least 0, but is -1",
        "sigmas | 1, NaN | sigmas must be finite, but is NaN",
        "skip_layer_guidance_stop | 0.5 | skip_layer_guidance_stop needs skip_guidance_layers,"
            + " which is not given",
        "clip_skip | -1 | clip_skip must be at least 0, but is -1"
      })
  void anArgumentThatCannotBeIsOneSentence(String name, String values, String message) {
    Setting<?> setting =
        InputConfig.SETTINGS.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
    Object value = setting.isList() ? List.of(values.split(", ")) : values;
    assertThatThrownBy(() -> FOX.toBuilder().set(setting, value).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void sigmasAndTimestepsExcludeEachOther() {
    InputConfigBuilder both =
        FOX.toBuilder()
            .set(InputConfig.SIGMAS, List.of(1, 0.5))
            .set(InputConfig.TIMESTEPS, List.of(9, 3));
    assertThatThrownBy(both::build).hasMessage("sigmas and timesteps exclude each other");
  }

  @Test
  void aValueThatIsTheDefaultIsTheSameAsNone() {
    assertThat(FOX.toBuilder().seed(42).build()).isEqualTo(FOX);
    InputConfig small = FOX.toBuilder().height(64).build();
    assertThat(small.toBuilder().set(InputConfig.HEIGHT, null).build()).isEqualTo(FOX);
  }

  @Test
  void negativePromptsAreNoneOneOrOnePerPrompt() {
    InputConfigBuilder three = InputConfig.builder("a", "b", "c");
    assertThat(three.negativePrompts("x").build().negativePrompts()).hasSize(1);
    assertThat(three.negativePrompts("x", "y", "z").build().negativePrompts()).hasSize(3);
    assertThatThrownBy(() -> three.negativePrompts("x", "y").build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "there must be no negative_prompt, one, or one per prompt, but there are 2 for 3"
                + " prompts");
  }

  @Test
  void guidanceThatIsDemandedCannotBeSwitchedOff() {
    InputConfigBuilder demanded = FOX.toBuilder().doClassifierFreeGuidance(true);
    assertThat(demanded.guidanceScale(1.5).build().guidanceScale()).isEqualTo(1.5);
    assertThatThrownBy(() -> demanded.guidanceScale(1).build())
        .hasMessage(
            "do_classifier_free_guidance needs guidance, but guidance_scale 1.0 switches it off");
    assertThat(demanded.trueCfgScale(4).build().switchesGuidanceOff()).isFalse();
  }

  static Stream<Arguments> impossible() {
    return Stream.of(
        bad(c -> c.size(0, 64), "height must be at least 1, but is 0"),
        bad(c -> c.size(64, -8), "width must be at least 1, but is -8"),
        bad(c -> c.strength(0.5), "strength needs image, which is not given"),
        bad(c -> c.image(FOX_PNG).strength(1.01), "strength must be from 0 to 1, but is 1.01"),
        bad(c -> c.maskImage(FOX_PNG), "mask_image needs image, of which it is a mask"),
        bad(
            c -> c.image(FOX_PNG).paddingMaskCrop(0),
            "padding_mask_crop needs mask_image, to crop to"),
        bad(c -> c.numFrames(0), "num_frames must be at least 1, but is 0"),
        bad(c -> c.numInferenceSteps(0), "num_inference_steps must be at least 1, but is 0"),
        bad(c -> c.maxSequenceLength(0), "max_sequence_length must be at least 1, but is 0"),
        bad(c -> c.numImagesPerPrompt(0), "num_images_per_prompt must be at least 1, but is 0"),
        bad(
            c -> c.guidanceScale(Double.POSITIVE_INFINITY),
            "guidance_scale must be finite, but is Infinity"),
        bad(c -> c.guidanceRescale(Double.NaN), "guidance_rescale must be finite, but is NaN"),
        bad(c -> c.trueCfgScale(Double.NaN), "true_cfg_scale must be finite, but is NaN"),
        bad(c -> c.eta(1.5), "eta must be from 0 to 1, but is 1.5"),
        bad(c -> c.eta(Double.NaN), "eta must be from 0 to 1, but is NaN"),
        bad(c -> c.classLabels(List.of(1, -1)), "class_labels must be at least 0, but is -1"),
        bad(c -> c.seed(1).seeds(List.of(1L, 2L)), "seeds and seed exclude each other"),
        bad(
            c -> c.set(RuntimeConfig.DTYPE, "fp16"),
            "dtype is no setting of " + InputConfig.SETTINGS),
        bad(
            c -> c.classLabels(List.of(1, 2)),
            "prompt and class_labels exclude each other: a model takes the one or the other, but"
                + " there are 1 and 2"));
  }

  private static Arguments bad(UnaryOperator<InputConfigBuilder> change, String message) {
    return Arguments.of(change, message);
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void impossibleRequestsAreRejected(UnaryOperator<InputConfigBuilder> change, String message) {
    assertThatThrownBy(() -> change.apply(FOX.toBuilder()).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }
}
