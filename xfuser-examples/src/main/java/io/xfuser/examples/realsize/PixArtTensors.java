package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The tensors of PixArt's components by their published names, in the sizes of their configs. */
final class PixArtTensors {
  private final List<RandomTensor> all = new ArrayList<>();

  private PixArtTensors() {}

  /** Of {@code text_encoder/config.json}: T5 v1.1's encoder. */
  static List<RandomTensor> text(JsonNode config) {
    PixArtTensors tensors = new PixArtTensors();
    long width = config.get("d_model").asLong();
    long head = config.get("d_kv").asLong();
    long heads = config.get("num_heads").asLong();
    long inner = config.get("d_ff").asLong();
    long rows = config.get("vocab_size").asLong();
    tensors.all.add(new RandomTensor("shared.weight", new long[] {rows, width}, 0, 1));
    for (int i = 0; i < config.get("num_layers").asInt(); i++) {
      String attention = "encoder.block." + i + ".layer.0.SelfAttention.";
      // T5 does not scale its scores: its queries are small
      tensors.matrix(attention + "q", 1 / Math.sqrt((double) head), heads * head, width);
      tensors.matrix(attention + "k", 1, heads * head, width);
      tensors.matrix(attention + "v", 1, heads * head, width);
      tensors.matrix(attention + "o", 1, width, heads * head);
      if (i == 0) {
        long buckets = config.get("relative_attention_num_buckets").asLong();
        tensors.all.add(
            RandomTensor.bias(attention + "relative_attention_bias.weight", buckets, heads));
      }
      tensors.norm("encoder.block." + i + ".layer.0.layer_norm", width);
      String dense = "encoder.block." + i + ".layer.1.DenseReluDense.";
      tensors.matrix(dense + "wi_0", 1, inner, width);
      tensors.matrix(dense + "wi_1", 1, inner, width);
      tensors.matrix(dense + "wo", 1, width, inner);
      tensors.norm("encoder.block." + i + ".layer.1.layer_norm", width);
    }
    tensors.norm("encoder.final_layer_norm", width);
    return tensors.all;
  }

  /** Of {@code transformer/config.json}. */
  static List<RandomTensor> transformer(JsonNode config) {
    PixArtTensors tensors = new PixArtTensors();
    long width =
        config.get("num_attention_heads").asLong() * config.get("attention_head_dim").asLong();
    long patch = config.get("patch_size").asLong();
    tensors.all.add(RandomTensor.bias("scale_shift_table", 2, width));
    tensors.linear("pos_embed.proj", width, config.get("in_channels").asLong(), patch, patch);
    tensors.linear("adaln_single.emb.timestep_embedder.linear_1", width, 256);
    tensors.linear("adaln_single.emb.timestep_embedder.linear_2", width, width);
    tensors.linear("adaln_single.linear", 6 * width, width);
    tensors.linear("caption_projection.linear_1", width, config.get("caption_channels").asLong());
    tensors.linear("caption_projection.linear_2", width, width);
    for (int i = 0; i < config.get("num_layers").asInt(); i++) {
      String block = "transformer_blocks." + i + ".";
      tensors.all.add(RandomTensor.bias(block + "scale_shift_table", 6, width));
      for (String attention : List.of("attn1.", "attn2.")) {
        for (String part : List.of("to_q", "to_k", "to_v", "to_out.0")) {
          tensors.linear(block + attention + part, width, width);
        }
      }
      tensors.linear(block + "ff.net.0.proj", 4 * width, width);
      tensors.linear(block + "ff.net.2", width, 4 * width);
    }
    tensors.linear("proj_out", patch * patch * config.get("out_channels").asLong(), width);
    return tensors.all;
  }

  /** Of {@code vae/config.json}: all of AutoencoderKL, of which the encoder is never read. */
  static List<RandomTensor> vae(JsonNode config) {
    PixArtTensors tensors = new PixArtTensors();
    List<Long> widths = new ArrayList<>();
    config.get("block_out_channels").forEach(width -> widths.add(width.asLong()));
    long latent = config.get("latent_channels").asLong();
    int resnets = config.get("layers_per_block").asInt();
    int last = widths.size() - 1;
    tensors.ends("encoder.", widths.get(0), 3, widths.get(last), 2 * latent);
    tensors.middle("encoder.", widths.get(last));
    tensors.ends("decoder.", widths.get(last), latent, widths.get(0), 3);
    tensors.middle("decoder.", widths.get(last));
    for (int i = 0; i <= last; i++) {
      String down = "encoder.down_blocks." + i;
      tensors.resnets(down, resnets, widths.get(Math.max(0, i - 1)), widths.get(i));
      String up = "decoder.up_blocks." + i;
      long width = widths.get(last - i);
      tensors.resnets(up, resnets + 1, widths.get(Math.min(last, last - i + 1)), width);
      if (i < last) {
        tensors.linear(down + ".downsamplers.0.conv", widths.get(i), widths.get(i), 3, 3);
        tensors.linear(up + ".upsamplers.0.conv", width, width, 3, 3);
      }
    }
    tensors.linear("quant_conv", 2 * latent, 2 * latent, 1, 1);
    tensors.linear("post_quant_conv", latent, latent, 1, 1);
    return tensors.all;
  }

  private void ends(String part, long first, long in, long last, long out) {
    linear(part + "conv_in", first, in, 3, 3);
    normed(part + "conv_norm_out", last);
    linear(part + "conv_out", out, last, 3, 3);
  }

  private void middle(String part, long width) {
    String attention = part + "mid_block.attentions.0.";
    normed(attention + "group_norm", width);
    for (String name : List.of("to_q", "to_k", "to_v", "to_out.0")) {
      linear(attention + name, width, width);
    }
    resnets(part + "mid_block", 2, width, width);
  }

  private void resnets(String block, int count, long before, long width) {
    long in = before;
    for (int i = 0; i < count; i++) {
      String resnet = block + ".resnets." + i + ".";
      normed(resnet + "norm1", in);
      linear(resnet + "conv1", width, in, 3, 3);
      normed(resnet + "norm2", width);
      linear(resnet + "conv2", width, width, 3, 3);
      if (in != width) {
        linear(resnet + "conv_shortcut", width, in, 1, 1);
      }
      in = width;
    }
  }

  private void matrix(String name, double factor, long... shape) {
    all.add(RandomTensor.matrix(name + ".weight", shape).times(factor));
  }

  private void norm(String name, long width) {
    all.add(RandomTensor.norm(name + ".weight", width));
  }

  private void normed(String name, long width) {
    norm(name, width);
    all.add(RandomTensor.bias(name + ".bias", width));
  }

  private void linear(String name, long... shape) {
    matrix(name, 1, shape);
    all.add(RandomTensor.bias(name + ".bias", shape[0]));
  }
}
