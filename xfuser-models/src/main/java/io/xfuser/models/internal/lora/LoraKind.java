package io.xfuser.models.internal.lora;

import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/** What a LoRA was made for, by names that only one kind of model has. */
final class LoraKind {
  /** For a LoRA whose names say nothing. */
  static final String UNKNOWN = "a model that its names do not tell";

  /**
   * In whose names something is found.
   *
   * @param title of the model
   * @param names a part of one of them, dots and underscores being one
   */
  private record Sign(String title, Pattern names) {
    Sign(String title, String names) {
      this(title, Pattern.compile(names));
    }
  }

  private static final List<Sign> SIGNS =
      List.of(
          new Sign(
              "the U-Net of Stable Diffusion 1, 2 or XL",
              "down_blocks_\\d|up_blocks_\\d|mid_block_|input_blocks_\\d|middle_block_"),
          new Sign("Flux.2", "to_qkv_mlp_proj|single_stream_modulation|double_stream_modulation"),
          new Sign("Chroma", "distilled_guidance_layer"),
          new Sign(
              "HunyuanVideo",
              "double_blocks_\\d+_(img|txt)_(mod_linear|attn_[qkv](_|$)|mlp_fc)|token_refiner"),
          new Sign("Flux.1", "double_blocks_\\d|single_blocks_\\d|single_transformer_blocks_\\d"),
          new Sign("Stable Diffusion 3", "joint_blocks_\\d"),
          new Sign("Qwen-Image", "transformer_blocks_\\d+_(img|txt)_(mlp|mod)"),
          new Sign("PixArt", "adaln_single|(^|_)blocks_\\d+_cross_attn_(q|kv)_linear"),
          new Sign("Wan", "(^|_)blocks_\\d+_(self_attn|cross_attn)_[qkvo](_|$)|blocks_\\d+_ffn_"),
          new Sign("Z-Image or Lumina", "context_refiner|noise_refiner|layers_\\d+_attention_"),
          new Sign("PixArt or LTX", "transformer_blocks_\\d+_attn[12]_"),
          new Sign("Flux.1 or Stable Diffusion 3", "transformer_blocks_\\d+_attn_"));

  private LoraKind() {}

  static String of(Collection<String> modules) {
    List<String> plain = modules.stream().map(LoraAddress::plain).toList();
    return SIGNS.stream()
        .filter(sign -> plain.stream().anyMatch(name -> sign.names().matcher(name).find()))
        .findFirst()
        .map(Sign::title)
        .orElse(UNKNOWN);
  }
}
