package io.xfuser.models.internal.vae;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An autoencoder in a file of the names of latent diffusion, or of diffusers'. Source: diffusers
 * 0.36 {@code loaders/single_file_utils.py} ({@code convert_ldm_vae_checkpoint}).
 */
public final class VaeCheckpoint implements CheckpointFormat {
  private static final int GROUPS = 32;

  @Override
  public String title() {
    return "an autoencoder";
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
    return tensors.has("decoder.conv_in.weight")
        && (tensors.has("decoder.mid.block_1.conv1.weight")
            || tensors.has("decoder.mid_block.resnets.0.conv1.weight"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (!tensors.has("decoder.mid.block_1.conv1.weight")) {
      return tensors;
    }
    int levels = tensors.count("decoder.up.");
    Tensors.Renaming renaming = new Tensors.Renaming(tensors);
    String half = "(encoder|decoder)";
    renaming
        .rule(half + "\\.norm_out\\.(.*)", "$1.conv_norm_out.$2")
        .rule(half + "\\.((?:post_)?quant_conv\\..*)", "$2");
    resnets(renaming, half + "\\.mid\\.block_1\\.", "$1.mid_block.resnets.0.", "2");
    resnets(renaming, half + "\\.mid\\.block_2\\.", "$1.mid_block.resnets.1.", "2");
    attention(renaming, half + "\\.mid\\.attn_1\\.", "$1.mid_block.attentions.0.");
    for (int i = 0; i < levels; i++) {
      String down = "(encoder)\\.down\\." + i + "\\.";
      resnets(renaming, down + "block\\.(\\d+)\\.", "$1.down_blocks." + i + ".resnets.$2.", "3");
      renaming.rule(
          down + "downsample\\.conv\\.(.*)", "$1.down_blocks." + i + ".downsamplers.0.conv.$2");
      String up = "(decoder)\\.up\\." + i + "\\.";
      String block = "$1.up_blocks." + (levels - 1 - i);
      resnets(renaming, up + "block\\.(\\d+)\\.", block + ".resnets.$2.", "3");
      renaming.rule(up + "upsample\\.conv\\.(.*)", block + ".upsamplers.0.conv.$2");
    }
    return renaming.done();
  }

  /**
   * @param group of the pattern that follows those of {@code from}
   */
  private static void resnets(Tensors.Renaming to, String from, String into, String group) {
    to.rule(from + "nin_shortcut\\.(.*)", into + "conv_shortcut.$" + group)
        .rule(from + "((?:norm|conv)[12]\\..*)", into + "$" + group);
  }

  private static void attention(Tensors.Renaming to, String from, String into) {
    to.rule(from + "norm\\.(.*)", into + "group_norm.$2")
        .matrix(from + "([qkv])\\.(.*)", into + "to_$2.$3")
        .matrix(from + "proj_out\\.(.*)", into + "to_out.0.$2");
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int levels = tensors.count("decoder.up_blocks.");
    List<Integer> widths = widths(tensors, "decoder.up_blocks.");
    Collections.reverse(widths);
    Map<String, Object> config = new HashMap<>();
    config.put("block_out_channels", widths);
    if (tensors.has("bn.running_mean")) {
      config.put("_class_name", "AutoencoderKLFlux2");
      config.put("decoder_block_out_channels", widths);
      config.put("block_out_channels", widths(tensors, "encoder.down_blocks."));
    }
    config.put("up_block_types", Collections.nCopies(levels, "UpDecoderBlock2D"));
    config.put("down_block_types", Collections.nCopies(levels, "DownEncoderBlock2D"));
    config.put("layers_per_block", tensors.count("decoder.up_blocks.0.resnets.") - 1);
    config.put("latent_channels", tensors.size("decoder.conv_in.weight", 1));
    config.put("out_channels", tensors.size("decoder.conv_out.weight", 0));
    config.put("in_channels", tensors.size("decoder.conv_out.weight", 0));
    // every published one has 32; fewer channels than that have a group each
    config.put("norm_num_groups", Math.min(GROUPS, Collections.min(widths)));
    config.put("use_post_quant_conv", tensors.has("post_quant_conv.weight"));
    config.put("use_quant_conv", tensors.has("quant_conv.weight"));
    config.put(
        "mid_block_add_attention", tensors.has("decoder.mid_block.attentions.0.to_q.weight"));
    return config;
  }

  private static List<Integer> widths(Tensors tensors, String blocks) {
    List<Integer> widths = new ArrayList<>();
    for (int i = 0; i < tensors.count(blocks); i++) {
      widths.add(tensors.size(blocks + i + ".resnets.0.conv1.weight", 0));
    }
    return widths;
  }
}
