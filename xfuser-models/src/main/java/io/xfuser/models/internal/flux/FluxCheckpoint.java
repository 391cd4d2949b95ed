package io.xfuser.models.internal.flux;

import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Flux.1 in a file of Black Forest Labs' names, or of diffusers'. Source: diffusers 0.36 {@code
 * loaders/single_file_utils.py} ({@code convert_flux_transformer_checkpoint_to_diffusers}), but
 * widths are those of the tensors.
 */
public final class FluxCheckpoint implements ModelFormat {
  private static final int FILL_WIDTH = 384; // values of a token: latents, mask, masked latents

  @Override
  public String title() {
    return "a Flux.1 transformer";
  }

  @Override
  public boolean fits(Tensors tensors) {
    return (tensors.has("double_blocks.0.img_attn.norm.key_norm.scale")
            && tensors.has("single_blocks.0.linear1.weight"))
        || (tensors.has("single_transformer_blocks.0.attn.to_q.weight")
            && tensors.has("transformer_blocks.0.norm1_context.linear.weight"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (!tensors.has("img_in.weight")) {
      return tensors;
    }
    int width = tensors.size("img_in.weight", 0);
    Tensors.Renaming renaming =
        new Tensors.Renaming(tensors)
            .rule("img_in\\.(.*)", "x_embedder.$1")
            .rule("txt_in\\.(.*)", "context_embedder.$1")
            .rule("time_in\\.in_layer\\.(.*)", TIME + "timestep_embedder.linear_1.$1")
            .rule("time_in\\.out_layer\\.(.*)", TIME + "timestep_embedder.linear_2.$1")
            .rule("vector_in\\.in_layer\\.(.*)", TIME + "text_embedder.linear_1.$1")
            .rule("vector_in\\.out_layer\\.(.*)", TIME + "text_embedder.linear_2.$1")
            .rule("guidance_in\\.in_layer\\.(.*)", TIME + "guidance_embedder.linear_1.$1")
            .rule("guidance_in\\.out_layer\\.(.*)", TIME + "guidance_embedder.linear_2.$1")
            .swapped("final_layer\\.adaLN_modulation\\.1\\.(.*)", "norm_out.linear.$1")
            .rule("final_layer\\.linear\\.(.*)", "proj_out.$1");
    stream(renaming, "img", "norm1", "to_q to_k to_v", "norm_", "to_out.0", "ff");
    stream(
        renaming,
        "txt",
        "norm1_context",
        "add_q_proj add_k_proj add_v_proj",
        "norm_added_",
        "to_add_out",
        "ff_context");
    return singleBlocks(renaming, width).done();
  }

  private static final String TIME = "time_text_embed.";

  /** One of the two streams of a double block. */
  private static void stream(Tensors.Renaming to, String name, String... theirs) {
    String block = "double_blocks\\.(\\d+)\\." + name + "_";
    String attention = "transformer_blocks.$1.attn.";
    String[] projections = theirs[1].split(" ", -1);
    to.rule(block + "mod\\.lin\\.(.*)", "transformer_blocks.$1." + theirs[0] + ".linear.$2")
        .rule(
            block + "attn\\.qkv\\.(.*)",
            attention + projections[0] + ".$2",
            attention + projections[1] + ".$2",
            attention + projections[2] + ".$2")
        .rule(block + "attn\\.norm\\.query_norm\\.scale", attention + theirs[2] + "q.weight")
        .rule(block + "attn\\.norm\\.key_norm\\.scale", attention + theirs[2] + "k.weight")
        .rule(block + "attn\\.proj\\.(.*)", attention + theirs[3] + ".$2")
        .rule(block + "mlp\\.0\\.(.*)", "transformer_blocks.$1." + theirs[4] + ".net.0.proj.$2")
        .rule(block + "mlp\\.2\\.(.*)", "transformer_blocks.$1." + theirs[4] + ".net.2.$2");
  }

  private static Tensors.Renaming singleBlocks(Tensors.Renaming to, int width) {
    String block = "single_blocks\\.(\\d+)\\.";
    String theirs = "single_transformer_blocks.$1.";
    return to.rule(block + "modulation\\.lin\\.(.*)", theirs + "norm.linear.$2")
        .cut(
            block + "linear1\\.(.*)",
            width,
            theirs + "attn.to_q.$2",
            theirs + "attn.to_k.$2",
            theirs + "attn.to_v.$2",
            theirs + "proj_mlp.$2")
        .rule(block + "linear2\\.(.*)", theirs + "proj_out.$2")
        .rule(block + "norm\\.query_norm\\.scale", theirs + "attn.norm_q.weight")
        .rule(block + "norm\\.key_norm\\.scale", theirs + "attn.norm_k.weight");
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int head = tensors.size("transformer_blocks.0.attn.norm_k.weight", 0);
    int tokens = tensors.size("x_embedder.weight", 1);
    int predicted = tensors.size("proj_out.weight", 0);
    return Map.ofEntries(
        Map.entry("patch_size", 1),
        Map.entry("in_channels", tokens),
        Map.entry("out_channels", predicted),
        Map.entry("num_layers", tensors.count("transformer_blocks.")),
        Map.entry("num_single_layers", tensors.count("single_transformer_blocks.")),
        Map.entry("attention_head_dim", head),
        Map.entry("num_attention_heads", tensors.size("x_embedder.weight", 0) / head),
        Map.entry("joint_attention_dim", tensors.size("context_embedder.weight", 1)),
        Map.entry("pooled_projection_dim", tensors.size(POOLED, 1)),
        Map.entry("guidance_embeds", guided(tensors)),
        Map.entry("axes_dims_rope", axes(head)));
  }

  private static final String POOLED = "time_text_embed.text_embedder.linear_1.weight";

  private static boolean guided(Tensors tensors) {
    return tensors.any("time_text_embed\\.guidance_embedder\\..*");
  }

  /**
   * An eighth of a head for the picture's number, the rest for its rows and columns: 16, 56, 56.
   */
  private static List<Integer> axes(int head) {
    int first = Math.max(2, head / 8 / 2 * 2);
    int second = (head - first) / 2 / 2 * 2;
    return List.of(first, second, head - first - second);
  }

  @Override
  public String className() {
    return "FluxTransformer2DModel";
  }

  /** Kontext has the tensors of dev, so only its name tells. */
  @Override
  public String pipeline(Tensors tensors, Path file) {
    if (tensors.size("x_embedder.weight", 1) == FILL_WIDTH) {
      return "FluxFillPipeline";
    }
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    return name.contains("kontext") ? "FluxKontextPipeline" : "FluxPipeline";
  }

  @Override
  public Map<String, Object> scheduler(Tensors tensors) {
    boolean guided = guided(tensors);
    return Map.of(
        "_class_name",
        "FlowMatchEulerDiscreteScheduler",
        "num_train_timesteps",
        1000,
        "shift",
        guided ? 3.0 : 1.0,
        "use_dynamic_shifting",
        guided,
        "base_shift",
        0.5,
        "max_shift",
        1.15,
        "base_image_seq_len",
        256,
        "max_image_seq_len",
        4096);
  }

  @Override
  public Map<String, Object> vae() {
    return Map.of("scaling_factor", 0.3611, "shift_factor", 0.1159, "sample_size", 1024);
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(
        new TextSlot("", "CLIPTextModel", "CLIPTokenizer", "clip_l", false, Map.of()),
        new TextSlot("_2", "T5EncoderModel", "T5TokenizerFast", "t5xxl", false, Map.of()));
  }
}
