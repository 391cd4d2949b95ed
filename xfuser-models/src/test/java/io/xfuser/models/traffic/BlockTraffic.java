package io.xfuser.models.traffic;

import io.xfuser.torchscript.DeviceRun;
import io.xfuser.torchscript.Traffic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/** What a block of each model does to a GPU's memory, at its real width, in bf16. */
enum BlockTraffic {
  FLUX_DOUBLE(
      "flux",
      "joint/rotary joint/stream joint/blocks",
      4608 * 3072,
      "double_block",
      "double_before double_rest attended_heads double_after"),
  FLUX_SINGLE(
      "flux",
      "joint/rotary joint/stream joint/blocks",
      4608 * 3072,
      "single_block",
      "single_before single_rest attended_heads single_after"),
  FLUX_PROJECT(
      "flux",
      "joint/rotary joint/stream joint/blocks",
      4608 * 3072,
      "single_block",
      "norm_rotate_"),
  SD3(
      "sd3",
      "joint/stream sd3/sd3",
      2 * 4429 * 1536,
      "block",
      "before_joint rest_joint before_second norm_heads_ attended_heads after_attention"
          + " text_after_attention"),
  SD35_MEDIUM_DUAL(
      "sd3",
      "joint/stream sd3/sd3",
      2 * 4429 * 1536,
      "dual_block",
      "before_joint rest_joint before_second norm_heads_ attended_heads after_attention"
          + " text_after_attention"),
  PIXART(
      "pixart",
      "adaln/adaln",
      2 * 4096 * 1152,
      "block",
      "before_attention attended_heads after_attention"),
  HUNYUANDIT(
      "hunyuandit",
      "parts/layer_norms hunyuandit/hunyuandit",
      2 * 4096 * 1408,
      "block",
      "join_skip before_attention norm_turn_ attended_heads after_attention"),
  HUNYUANDIT_SKIP(
      "hunyuandit",
      "parts/layer_norms hunyuandit/hunyuandit",
      2 * 4096 * 1408,
      "skip_block",
      "join_skip before_attention norm_turn_ attended_heads after_attention"),
  FLUX2_DOUBLE(
      "flux2",
      "joint/rotary flux2/flux2",
      4608 * 6144,
      "double_block",
      "double_before double_rest attended_heads double_after"),
  FLUX2_SINGLE(
      "flux2",
      "joint/rotary flux2/flux2",
      4608 * 6144,
      "single_block",
      "single_before single_rest attended_heads single_after"),
  QWENIMAGE(
      "qwenimage",
      "joint/stream qwenimage/qwenimage",
      4352 * 3072,
      "block",
      "before rest attended_heads after"),
  ZIMAGE(
      "zimage",
      "zimage/zimage",
      2 * 4160 * 3840,
      "block",
      "before rest attended_heads attended middle after"),
  WAN(
      "wan",
      "joint/rotary parts/heads wan/wan",
      32760 * 5120,
      "block",
      "project squares normed attended_heads after_attention text_queries after_text");

  private static final String PACKAGE = "/io/xfuser/models/";
  private static final int BYTES = 2; // of a number in bf16

  private final String model;
  private final String programs;
  private final long elements;
  private final String call;
  private final String functions;

  BlockTraffic(String model, String programs, long elements, String call, String functions) {
    this.model = model;
    this.programs = programs;
    this.elements = elements;
    this.call = call;
    this.functions = functions;
  }

  /** What {@code scripts/bench/traffic} calls it. */
  String model() {
    return model;
  }

  /** Its name in tables. */
  String title() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /**
   * What it moves, by {@link Traffic}'s rules.
   *
   * @param own with kernels of our own in the place of those of libtorch
   */
  Traffic measured(boolean own) throws IOException {
    List<String> resources =
        Stream.of(programs.split(" ", -1)).map(p -> PACKAGE + "internal/" + p + ".py").toList();
    String calls = text("blocks") + "\n" + text(model);
    DeviceRun run = DeviceRun.of(BlockTraffic.class, resources, calls);
    return (own ? run.withOwnKernels() : run).traffic(call, functions.split(" ", -1));
  }

  /** In units of one activation: the tokens of all rows, as wide as the model. */
  double activations(Traffic traffic) {
    return traffic.activations(BYTES * elements);
  }

  private static String text(String name) {
    try (var resource =
        BlockTraffic.class.getResourceAsStream(PACKAGE + "traffic/" + name + ".py")) {
      return new String(
          Objects.requireNonNull(resource, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The blocks of {@code model}, or of all. */
  static List<BlockTraffic> of(String model) {
    return Stream.of(values()).filter(b -> model.equals("all") || b.model.equals(model)).toList();
  }
}
