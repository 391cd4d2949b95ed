package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The tensors of diffusers' AutoencoderKL, its encoder's too, in the sizes of its config. */
final class VaeTensors {
  private final TensorNames tensors = new TensorNames();

  private VaeTensors() {}

  static List<RandomTensor> of(JsonNode config) {
    VaeTensors vae = new VaeTensors();
    vae.parts(config);
    return vae.tensors.list();
  }

  /** The same by the names of CompVis' autoencoder, which other programs than diffusers have. */
  static List<RandomTensor> original(JsonNode config) {
    int last = config.get("block_out_channels").size() - 1;
    return of(config).stream().map(tensor -> original(tensor, last)).toList();
  }

  private static RandomTensor original(RandomTensor tensor, int last) {
    String name =
        tensor
            .name()
            .replace("mid_block.resnets.0", "mid.block_1")
            .replace("mid_block.resnets.1", "mid.block_2")
            .replace("mid_block.attentions.0", "mid.attn_1")
            .replace("group_norm", "norm")
            .replace("to_out.0", "proj_out")
            .replaceFirst("\\.to_([qkv])\\.", ".$1.")
            .replaceFirst("down_blocks\\.(\\d)", "down.$1")
            .replaceFirst("resnets\\.", "block.")
            .replaceFirst("(down|up)samplers\\.0", "$1sample")
            .replace("conv_shortcut", "nin_shortcut")
            .replace("conv_norm_out", "norm_out");
    for (int i = 0; i <= last; i++) { // which are counted from the other end there
      name = name.replace("up_blocks." + i, "up." + (last - i));
    }
    boolean projection = name.contains("attn_1") && tensor.shape().length == 2; // 1×1 kernels there
    long[] shape = tensor.shape();
    return new RandomTensor(
        name,
        projection ? new long[] {shape[0], shape[1], 1, 1} : shape,
        tensor.mean(),
        tensor.deviation());
  }

  private void parts(JsonNode config) {
    List<Long> widths = new ArrayList<>();
    config.get("block_out_channels").forEach(width -> widths.add(width.asLong()));
    long latent = config.get("latent_channels").asLong();
    int resnets = config.get("layers_per_block").asInt();
    int last = widths.size() - 1;
    ends("encoder.", widths.get(0), 3, widths.get(last), 2 * latent);
    middle("encoder.", widths.get(last));
    ends("decoder.", widths.get(last), latent, widths.get(0), 3);
    middle("decoder.", widths.get(last));
    for (int i = 0; i <= last; i++) {
      String down = "encoder.down_blocks." + i;
      resnets(down, resnets, widths.get(Math.max(0, i - 1)), widths.get(i));
      String up = "decoder.up_blocks." + i;
      long width = widths.get(last - i);
      resnets(up, resnets + 1, widths.get(Math.min(last, last - i + 1)), width);
      if (i < last) {
        tensors.linear(down + ".downsamplers.0.conv", widths.get(i), widths.get(i), 3, 3);
        tensors.linear(up + ".upsamplers.0.conv", width, width, 3, 3);
      }
    }
    if (config.path("use_quant_conv").asBoolean(true)) {
      tensors.linear("quant_conv", 2 * latent, 2 * latent, 1, 1);
      tensors.linear("post_quant_conv", latent, latent, 1, 1);
    }
  }

  private void ends(String part, long first, long in, long last, long out) {
    tensors
        .linear(part + "conv_in", first, in, 3, 3)
        .norm(part + "conv_norm_out", last)
        .linear(part + "conv_out", out, last, 3, 3);
  }

  private void middle(String part, long width) {
    String attention = part + "mid_block.attentions.0.";
    tensors.norm(attention + "group_norm", width);
    for (String name : List.of("to_q", "to_k", "to_v", "to_out.0")) {
      tensors.linear(attention + name, width, width);
    }
    resnets(part + "mid_block", 2, width, width);
  }

  private void resnets(String block, int count, long before, long width) {
    long in = before;
    for (int i = 0; i < count; i++) {
      String resnet = block + ".resnets." + i + ".";
      tensors
          .norm(resnet + "norm1", in)
          .linear(resnet + "conv1", width, in, 3, 3)
          .norm(resnet + "norm2", width)
          .linear(resnet + "conv2", width, width, 3, 3);
      if (in != width) {
        tensors.linear(resnet + "conv_shortcut", width, in, 1, 1);
      }
      in = width;
    }
  }
}
