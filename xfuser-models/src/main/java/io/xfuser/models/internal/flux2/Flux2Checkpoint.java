package io.xfuser.models.internal.flux2;

import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.joint.StreamCheckpoint;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Flux.2 in a file of Black Forest Labs' names, or of diffusers'. Source: diffusers 0.36 {@code
 * loaders/single_file_utils.py} ({@code convert_flux2_transformer_checkpoint_to_diffusers}).
 */
abstract class Flux2Checkpoint implements ModelFormat {
  private static final String TIME = "time_guidance_embed.";
  private final Flux2Variant variant;
  private final TextSlot text;

  private Flux2Checkpoint(Flux2Variant variant, String encoder, String tokenizer) {
    this.variant = variant;
    this.text = new TextSlot("", encoder, tokenizer, "", false, Map.of());
  }

  /** With guidance as a condition. */
  public static final class Dev extends Flux2Checkpoint {
    public Dev() {
      super(Flux2Variant.DEV, "Mistral3ForConditionalGeneration", "PixtralProcessor");
    }
  }

  /** Without. */
  public static final class Klein extends Flux2Checkpoint {
    public Klein() {
      super(Flux2Variant.KLEIN, "Qwen3ForCausalLM", "Qwen2TokenizerFast");
    }
  }

  @Override
  public String title() {
    return "a Flux.2 %s transformer".formatted(variant.told() ? "dev" : "klein");
  }

  @Override
  public boolean fits(Tensors tensors) {
    boolean told =
        tensors.has("guidance_in.in_layer.weight")
            || tensors.has(TIME + "guidance_embedder.linear_1.weight");
    return told == variant.told()
        && (tensors.has("single_stream_modulation.lin.weight")
            || tensors.has("single_stream_modulation.linear.weight"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    String theirs = "single_transformer_blocks.$1.attn.";
    String block = "single_blocks\\.(\\d+)\\.";
    return StreamCheckpoint.streams(new Tensors.Renaming(tensors), "linear_in", "linear_out")
        .rule("time_in\\.in_layer\\.(.*)", TIME + "timestep_embedder.linear_1.$1")
        .rule("time_in\\.out_layer\\.(.*)", TIME + "timestep_embedder.linear_2.$1")
        .rule("guidance_in\\.in_layer\\.(.*)", TIME + "guidance_embedder.linear_1.$1")
        .rule("guidance_in\\.out_layer\\.(.*)", TIME + "guidance_embedder.linear_2.$1")
        .rule("((?:double|single)_stream_modulation\\w*)\\.lin\\.(.*)", "$1.linear.$2")
        .swapped("final_layer\\.adaLN_modulation\\.1\\.(.*)", "norm_out.linear.$1")
        .rule(block + "linear1\\.(.*)", theirs + "to_qkv_mlp_proj.$2")
        .rule(block + "linear2\\.(.*)", theirs + "to_out.$2")
        .rule(block + "norm\\.query_norm\\." + StreamCheckpoint.GAIN, theirs + "norm_q.weight")
        .rule(block + "norm\\.key_norm\\." + StreamCheckpoint.GAIN, theirs + "norm_k.weight")
        .done();
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int head = tensors.size("transformer_blocks.0.attn.norm_k.weight", 0);
    int width = tensors.size("x_embedder.weight", 0);
    int neurons = tensors.size("transformer_blocks.0.ff.linear_out.weight", 1);
    return Map.ofEntries(
        Map.entry("patch_size", 1),
        Map.entry("in_channels", tensors.size("x_embedder.weight", 1)),
        Map.entry("num_layers", tensors.count("transformer_blocks.")),
        Map.entry("num_single_layers", tensors.count("single_transformer_blocks.")),
        Map.entry("attention_head_dim", head),
        Map.entry("num_attention_heads", width / head),
        Map.entry("joint_attention_dim", tensors.size("context_embedder.weight", 1)),
        Map.entry("mlp_ratio", (double) neurons / width),
        Map.entry("guidance_embeds", variant.told()),
        Map.entry("axes_dims_rope", Collections.nCopies(4, head / 4)));
  }

  @Override
  public String className() {
    return "Flux2Transformer2DModel";
  }

  @Override
  public String pipeline(Tensors tensors, Path file) {
    return variant.told() ? Flux2Pipeline.DEV : Flux2Pipeline.KLEIN;
  }

  /** Base models have the tensors of distilled ones, so only their names tell. */
  @Override
  public Map<String, Object> index(Tensors tensors, Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    return variant.told() ? Map.of() : Map.of("is_distilled", !name.contains("base"));
  }

  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    return ModelFormat.flowMatching(3, Map.of("use_dynamic_shifting", true));
  }

  @Override
  public Map<String, Object> vae() {
    return Map.of("sample_size", 1024);
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(text);
  }
}
