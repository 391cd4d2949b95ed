package io.xfuser.models.internal.wan;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.Picture;
import java.nio.file.Path;

/** Requests of the tests. */
final class WanInputs {
  /** Text tokens. */
  static final int TEXT = 24;

  /** Tokens of what two pictures are seen as. */
  static final int SEEN = 20;

  /** A directory whose videos are drawn between two pictures. */
  static final Path BETWEEN = Path.of("src/test/resources/fixtures/wan_flf_tiny");

  private static final Path PICTURES =
      Path.of("src/test/resources/fixtures/reference/wan_flf_tiny");

  static final Picture HILLS = Picture.of(PICTURES.resolve("hills.png"));
  static final Picture TOWER = Picture.of(PICTURES.resolve("tower.png"));

  private WanInputs() {}

  /** The same between two pictures. */
  static InputConfigBuilder between() {
    return two().image(HILLS).set(InputConfig.LAST_IMAGE, TOWER);
  }

  /** Two videos of 3 × 3 × 5 tokens, with prompts of unequal length and guidance. */
  static InputConfigBuilder two() {
    return InputConfig.builder("a red fox", "two blue boats on a lake at dawn")
        .negativePrompts("blurry")
        .size(48, 80)
        .numFrames(9)
        .guidanceScale(3)
        .maxSequenceLength(TEXT);
  }
}
