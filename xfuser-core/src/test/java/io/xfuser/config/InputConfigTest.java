package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class InputConfigTest {
  private static final InputConfig FOX = InputConfig.of("a fox");

  @Test
  void whatIsNotGivenIsLeftToThePipeline() {
    assertThat(FOX)
        .isEqualTo(
            new InputConfig(
                List.of("a fox"),
                List.of(),
                null,
                null,
                null,
                null,
                null,
                null,
                1,
                42,
                null,
                null,
                List.of(),
                null,
                null,
                null,
                false,
                OutputType.PIL));
  }

  @Test
  void withersAndTheBuilderSetTheSame() {
    InputConfig withers =
        FOX.withNegative("blur")
            .withSize(112, 144)
            .withFrames(16)
            .withSteps(7)
            .withGuidance(4.5)
            .withMaxSequenceLength(120)
            .withImagesPerPrompt(2)
            .withSeed(-3)
            .withResolutionBinning(false)
            .withCleanCaption(false)
            .withGuidanceRescale(0.7)
            .withEta(0.5)
            .withTrueCfgScale(2)
            .withOutputType(OutputType.LATENT);
    assertThat(withers)
        .isEqualTo(
            new InputConfig(
                List.of("a fox"),
                List.of("blur"),
                112,
                144,
                16,
                7,
                4.5,
                120,
                2,
                -3,
                false,
                false,
                List.of(),
                0.7,
                0.5,
                2.0,
                false,
                OutputType.LATENT));
    assertThat(withers.toBuilder().build()).isEqualTo(withers);
    assertThat(InputConfig.builder("a fox").height(112).width(144).build())
        .isEqualTo(FOX.withSize(112, 144));
    assertThat(InputConfig.of().withClassLabels(List.of(207, 0)).classLabels())
        .containsExactly(207, 0);
    assertThat(FOX.withPrompts("one", "two").prompts()).containsExactly("one", "two");
  }

  @Test
  void negativePromptsAreNoneOneOrOnePerPrompt() {
    InputConfig three = InputConfig.of("a", "b", "c");
    assertThat(three.withNegative("x").negativePrompts()).hasSize(1);
    assertThat(three.withNegative("x", "y", "z").negativePrompts()).hasSize(3);
    assertThatThrownBy(() -> three.withNegative("x", "y"))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "there must be no negative prompt, one, or one per prompt, but there are 2 for 3"
                + " prompts");
  }

  @Test
  void guidanceThatIsDemandedCannotBeSwitchedOff() {
    InputConfig demanded = FOX.toBuilder().doClassifierFreeGuidance(true).build();
    assertThat(demanded.withGuidance(1.5).guidanceScale()).isEqualTo(1.5);
    assertThatThrownBy(() -> demanded.withGuidance(1))
        .hasMessage(
            "classifier-free guidance is demanded, but the guidance scale 1.0 switches it off");
    assertThat(demanded.withTrueCfgScale(4).withGuidance(1).switchesGuidanceOff()).isFalse();
  }

  static Stream<Arguments> impossible() {
    return Stream.of(
        bad(c -> c.withSize(0, 64), "the height must be at least 1, but is 0"),
        bad(c -> c.withSize(64, -8), "the width must be at least 1, but is -8"),
        bad(c -> c.withFrames(0), "the number of frames must be at least 1, but is 0"),
        bad(c -> c.withSteps(0), "the number of inference steps must be at least 1, but is 0"),
        bad(
            c -> c.withMaxSequenceLength(0),
            "the maximum sequence length must be at least 1, but is 0"),
        bad(
            c -> c.withImagesPerPrompt(0),
            "the number of images per prompt must be at least 1, but is 0"),
        bad(
            c -> c.withGuidance(Double.POSITIVE_INFINITY),
            "the guidance scale must be finite, but is Infinity"),
        bad(
            c -> c.withGuidanceRescale(Double.NaN),
            "the guidance rescale must be finite, but is NaN"),
        bad(c -> c.withTrueCfgScale(Double.NaN), "the true CFG scale must be finite, but is NaN"),
        bad(c -> c.withEta(1.5), "eta must be between 0 and 1, but is 1.5"),
        bad(c -> c.withEta(Double.NaN), "eta must be between 0 and 1, but is NaN"),
        bad(
            c -> c.withPrompts().withClassLabels(List.of(1, -1)),
            "a class label must be at least 0, but is -1"),
        bad(
            c -> c.withClassLabels(List.of(1, 2)),
            "a model takes prompts or class labels, but there are 1 of the one and 2 of the"
                + " other"));
  }

  private static Arguments bad(UnaryOperator<InputConfig> change, String message) {
    return Arguments.of(change, message);
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void impossibleRequestsAreRejected(UnaryOperator<InputConfig> change, String message) {
    assertThatThrownBy(() -> change.apply(FOX))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }
}
