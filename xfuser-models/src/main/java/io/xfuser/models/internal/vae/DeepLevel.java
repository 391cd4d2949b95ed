package io.xfuser.models.internal.vae;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A level of one half of AutoencoderDC.
 *
 * @param width channels
 * @param layers blocks
 * @param attends whether blocks attend over the whole picture, else they are residual ones
 * @param scales sides of the kernels by which attention sees queries, keys and values, beside as
 *     they are
 * @param batchNormed whether norms are of a channel in all pictures trained on, else of a
 *     position's channels
 * @param activation of residual blocks
 */
record DeepLevel(
    int width,
    int layers,
    boolean attends,
    List<Integer> scales,
    boolean batchNormed,
    String activation) {
  /** By how much a block with attention has more channels between its convolutions. */
  static final int WIDENED = 8;

  private static final String RESIDUAL = "ResBlock";
  private static final String ATTENDING = "EfficientViTBlock";
  private static final String RMS = "rms_norm";
  private static final Set<String> ACTIVATIONS = Set.of("silu", "swish", "relu");
  private static final Map<String, String> SAME = Map.of("swish", "silu");
  private static final List<Integer> WIDTHS = List.of(128, 256, 512, 512, 1024, 1024);
  private static final Pattern LIST = Pattern.compile("\\[([\\d,\\s]*)]");

  DeepLevel {
    scales = List.copyOf(scales);
  }

  /** The encoder's, whose norms and activations are no settings. */
  static List<DeepLevel> encoder(ComponentConfig config) {
    return read(config, "encoder", List.of(2, 2, 2, 3, 3, 3), false);
  }

  static List<DeepLevel> decoder(ComponentConfig config) {
    return read(config, "decoder", List.of(3, 3, 3, 3, 3, 3), true);
  }

  private static List<DeepLevel> read(
      ComponentConfig config, String half, List<Integer> usual, boolean chooses) {
    String name = half + "_block_out_channels";
    List<Integer> widths = config.has(name) ? config.getIntList(name) : WIDTHS;
    int count = widths.size();
    List<Integer> layers =
        config.has(half + "_layers_per_block")
            ? config.getIntList(half + "_layers_per_block")
            : usual;
    List<String> blocks = each(config, half + "_block_types", RESIDUAL, count);
    List<String> norms = chooses ? each(config, half + "_norm_types", RMS, count) : null;
    List<String> acts = chooses ? each(config, half + "_act_fns", "silu", count) : null;
    List<List<Integer>> scales = scales(config, half + "_qkv_multiscales");
    if (count < 1 || layers.size() != count || blocks.size() != count || scales.size() != count) {
      throw new ModelException(
          "%s: %s_block_out_channels, _layers_per_block, _block_types and _qkv_multiscales must be as many, but are %d, %d, %d and %d"
              .formatted(
                  config.origin(), half, count, layers.size(), blocks.size(), scales.size()));
    }
    List<DeepLevel> levels = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String norm = norms == null ? RMS : oneOf(config, norms.get(i), Set.of(RMS, "batch_norm"));
      levels.add(
          new DeepLevel(
              widths.get(i),
              layers.get(i),
              oneOf(config, blocks.get(i), Set.of(RESIDUAL, ATTENDING)).equals(ATTENDING),
              scales.get(i),
              !norm.equals(RMS),
              activation(config, acts == null ? "silu" : acts.get(i))));
    }
    return levels;
  }

  static String activation(ComponentConfig config, String name) {
    String known = oneOf(config, name, ACTIVATIONS);
    return SAME.getOrDefault(known, known);
  }

  private static String oneOf(ComponentConfig config, String value, Set<String> supported) {
    if (!supported.contains(value)) {
      throw new ModelException(
          "%s: %s is not supported, only %s"
              .formatted(config.origin(), value, supported.stream().sorted().toList()));
    }
    return value;
  }

  /** One value for all levels, or one for each. */
  private static List<String> each(ComponentConfig config, String name, String usual, int count) {
    return config.has(name) && config.text(name).startsWith("[")
        ? config.getStringList(name)
        : Collections.nCopies(count, config.getString(name, usual));
  }

  private static List<List<Integer>> scales(ComponentConfig config, String name) {
    if (!config.has(name)) {
      return List.of(List.of(), List.of(), List.of(), List.of(5), List.of(5), List.of(5));
    }
    String text = config.text(name);
    List<List<Integer>> all = new ArrayList<>();
    Matcher lists = LIST.matcher(text.substring(Math.min(1, text.length())));
    while (lists.find()) {
      all.add(
          Stream.of(lists.group(1).split(","))
              .map(String::strip)
              .filter(side -> !side.isEmpty())
              .map(Integer::valueOf)
              .toList());
    }
    return all;
  }
}
