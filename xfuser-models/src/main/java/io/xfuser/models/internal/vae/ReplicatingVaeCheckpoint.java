package io.xfuser.models.internal.vae;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * HunyuanVideo 1.5's autoencoder in a file of its authors' names, which ComfyUI keeps, or of
 * diffusers'. Source: diffusers {@code scripts/convert_hunyuan_video1_5_to_diffusers.py}.
 */
public final class ReplicatingVaeCheckpoint implements CheckpointFormat {
  private static final String OWN = "decoder.mid.block_1.norm1.gamma";
  private static final String FIRST = "decoder.conv_in.conv.weight";
  private static final String UP = "decoder.up_blocks.";
  private static final int FRAMES = 8; // pixels of two frames that become one: 2 × 2 × 2

  @Override
  public String title() {
    return "an autoencoder of HunyuanVideo 1.5";
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
    return tensors.has(FIRST)
        && (tensors.has(OWN) || tensors.has("decoder.mid_block.resnets.0.norm1.gamma"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (!tensors.has(OWN)) {
      return tensors;
    }
    String mid = "(encoder|decoder)\\.mid\\.";
    return new Tensors.Renaming(tensors)
        .rule(mid + "block_1\\.(.*)", "$1.mid_block.resnets.0.$2")
        .rule(mid + "block_2\\.(.*)", "$1.mid_block.resnets.1.$2")
        .rule(mid + "attn_1\\.([qkv])\\.(.*)", "$1.mid_block.attentions.0.to_$2.$3")
        .rule(mid + "attn_1\\.(norm|proj_out)\\.(.*)", "$1.mid_block.attentions.0.$2.$3")
        .rule("(encoder\\.down|decoder\\.up)\\.(\\d+)\\.block\\.(.*)", "$1_blocks.$2.resnets.$3")
        .rule(
            "(encoder\\.down|decoder\\.up)\\.(\\d+)\\.((?:down|up)sample)\\.(.*)",
            "$1_blocks.$2.$3rs.0.$4")
        .done();
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    List<Integer> widths = new ArrayList<>(); // of the decoder's levels
    List<Integer> sampled = new ArrayList<>(); // rows of what makes them larger
    for (int i = 0; i < tensors.count(UP); i++) {
      widths.add(tensors.size(UP + i + ".resnets.0.conv2.conv.weight", 0));
      String larger = UP + i + ".upsamplers.0.conv.conv.weight";
      if (tensors.has(larger)) {
        sampled.add(tensors.size(larger, 0));
      }
    }
    boolean matched = true;
    int overTime = 0;
    for (int i = 0; i < sampled.size(); i++) {
      int next = widths.get(Math.min(i + 1, widths.size() - 1));
      matched &= sampled.get(i) == FRAMES * next || sampled.get(i) == FRAMES / 2 * next;
      overTime += sampled.get(i) == FRAMES * (matched ? next : widths.get(i)) ? 1 : 0;
    }
    Collections.reverse(widths);
    return Map.of(
        "_class_name",
        "AutoencoderKLHunyuanVideo15",
        "latent_channels",
        tensors.size(FIRST, 1),
        "out_channels",
        tensors.size("decoder.conv_out.conv.bias", 0),
        "block_out_channels",
        widths,
        "layers_per_block",
        tensors.count(UP + "0.resnets.") - 1,
        "spatial_compression_ratio",
        1 << sampled.size(),
        "temporal_compression_ratio",
        1 << overTime,
        "upsample_match_channel",
        matched);
  }
}
