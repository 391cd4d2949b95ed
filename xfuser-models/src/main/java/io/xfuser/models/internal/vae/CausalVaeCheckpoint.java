package io.xfuser.models.internal.vae;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * An autoencoder of videos in a file of Wan's names, or of diffusers'. Source: diffusers 0.36
 * {@code loaders/single_file_utils.py} ({@code convert_wan_vae_to_diffusers}) and {@code
 * scripts/convert_wan_to_diffusers.py}.
 */
public final class CausalVaeCheckpoint implements CheckpointFormat {
  private static final String WAN = "decoder.middle.0.residual.0.gamma";
  private static final String DIFFUSERS = "decoder.mid_block.resnets.0.norm1.gamma";
  private static final String IN = "encoder.conv_in.weight";

  /** Layers of a residual block by the place that Wan has them in. */
  private static final Map<String, String> PLACES =
      Map.of("0", "norm1", "2", "conv1", "3", "norm2", "6", "conv2");

  @Override
  public String title() {
    return "an autoencoder of videos";
  }

  @Override
  public String component() {
    return "vae";
  }

  @Override
  public List<String> prefixes() {
    return List.of("first_stage_model.", "vae.");
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has(WAN) || (tensors.has(DIFFUSERS) && tensors.has("post_quant_conv.weight"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (!tensors.has(WAN)) {
      return tensors;
    }
    Tensors.Renaming to = new Tensors.Renaming(tensors);
    String half = "(encoder|decoder)\\.";
    to.rule("conv1\\.(.*)", "quant_conv.$1")
        .rule("conv2\\.(.*)", "post_quant_conv.$1")
        .rule(half + "conv1\\.(.*)", "$1.conv_in.$2")
        .rule(half + "head\\.0\\.(.*)", "$1.norm_out.$2")
        .rule(half + "head\\.2\\.(.*)", "$1.conv_out.$2")
        .rule(half + "middle\\.1\\.(.*)", "$1.mid_block.attentions.0.$2");
    block(to, half + "middle\\.0\\.", "$1.mid_block.resnets.0.", 2);
    block(to, half + "middle\\.2\\.", "$1.mid_block.resnets.1.", 2);
    if (tensors.any(".*samples\\.0\\.(up|down)samples\\..*")) {
      String level = "(encoder\\.down|decoder\\.up)samples\\.(\\d+)\\.(?:up|down)samples\\.";
      block(to, level + "(\\d+)\\.", "$1_blocks.$2.resnets.$3.", 4);
      to.rule("encoder" + nested("down"), "encoder.down_blocks.$1.downsampler.$2")
          .rule("decoder" + nested("up"), "decoder.up_blocks.$1.upsampler.$2");
    } else {
      block(to, "encoder\\.downsamples\\.(\\d+)\\.", "encoder.down_blocks.$1.", 2);
      to.rule(
          "encoder\\.downsamples\\.(\\d+)\\.((?:resample|time_conv)\\..*)",
          "encoder.down_blocks.$1.$2");
      upwards(to, tensors);
    }
    return to.done();
  }

  private static String nested(String way) {
    return "\\.%1$ssamples\\.(\\d+)\\.%1$ssamples\\.\\d+\\.((?:resample|time_conv)\\..*)"
        .formatted(way);
  }

  /** All levels stand in one list: so many blocks each, and what makes a picture larger. */
  private static void upwards(Tensors.Renaming to, Tensors tensors) {
    int blocks = 0;
    while (tensors.has("decoder.upsamples." + blocks + ".residual.0.gamma")) {
      blocks++;
    }
    int all = tensors.count("decoder.upsamples.");
    for (int i = 0; i < all; i++) {
      String from = "decoder\\.upsamples\\." + i + "\\.";
      String level = "decoder.up_blocks." + i / (blocks + 1) + ".";
      int number = i % (blocks + 1);
      if (number < blocks) {
        block(to, from, level + "resnets." + number + ".", 1);
      } else {
        to.rule(from + "(.*)", level + "upsamplers.0.$1");
      }
    }
  }

  /**
   * @param group of the pattern that follows those of {@code from}
   */
  private static void block(Tensors.Renaming to, String from, String into, int group) {
    PLACES.forEach(
        (place, name) ->
            to.rule(from + "residual\\." + place + "\\.(.*)", into + name + ".$" + group));
    to.rule(from + "shortcut\\.(.*)", into + "conv_shortcut.$" + group);
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int levels = tensors.count("decoder.up_blocks.");
    int blocks = tensors.count("decoder.up_blocks.0.resnets.") - 1;
    boolean residual = tensors.has("decoder.up_blocks.0.upsampler.resample.1.weight");
    int base = tensors.size(IN, 0);
    List<String> firsts =
        IntStream.range(0, levels)
            .mapToObj(i -> residual ? i + ".resnets.0." : i * (blocks + 1) + ".")
            .toList();
    List<Integer> factors =
        firsts.stream()
            .map(first -> tensors.size("encoder.down_blocks." + first + "conv1.weight", 0) / base)
            .toList();
    List<Boolean> halves =
        IntStream.range(0, levels - 1)
            .mapToObj(i -> residual ? i + ".downsampler." : i * (blocks + 1) + blocks + ".")
            .map(last -> tensors.has("encoder.down_blocks." + last + "time_conv.weight"))
            .toList();
    Map<String, Object> config = new HashMap<>();
    config.put("_class_name", "AutoencoderKLWan");
    config.put("base_dim", base);
    config.put("dim_mult", factors);
    config.put("num_res_blocks", blocks);
    config.put("temperal_downsample", halves);
    config.put("z_dim", tensors.size("post_quant_conv.weight", 0));
    config.put("is_residual", residual);
    int patch = (int) Math.round(Math.sqrt(tensors.size(IN, 1) / (double) EncoderConfig.COLOURS));
    if (patch > 1) {
      config.put("patch_size", patch);
    }
    if (residual) {
      String last = "decoder.up_blocks." + (levels - 1) + ".resnets.0.conv1.weight";
      config.put("decoder_base_dim", tensors.size(last, 0) / factors.get(0));
      config.putAll(Whitening.RESIDUAL.settings());
    }
    return config;
  }
}
