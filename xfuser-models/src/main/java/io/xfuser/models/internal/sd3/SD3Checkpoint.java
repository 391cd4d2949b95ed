package io.xfuser.models.internal.sd3;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Stable Diffusion 3 and 3.5 in a file of Stability AI's names, or of diffusers'. Source: diffusers
 * 0.36 {@code loaders/single_file_utils.py} ({@code
 * convert_sd3_transformer_checkpoint_to_diffusers}).
 */
public final class SD3Checkpoint implements ModelFormat {
  private static final int USUAL_SIZE = 128; // latents along each side
  private static final String TIME = "time_text_embed.";

  @Override
  public String title() {
    return "a Stable Diffusion 3 transformer";
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has("joint_blocks.0.context_block.adaLN_modulation.1.bias")
        || (tensors.has("pos_embed.pos_embed")
            && tensors.has("transformer_blocks.0.norm1_context.linear.weight"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (!tensors.has("joint_blocks.0.context_block.adaLN_modulation.1.bias")) {
      return tensors;
    }
    int last = tensors.count("joint_blocks.") - 1;
    Tensors.Renaming renaming =
        new Tensors.Renaming(tensors)
            .rule("pos_embed", "pos_embed.pos_embed")
            .rule("x_embedder\\.proj\\.(.*)", "pos_embed.proj.$1")
            .rule("t_embedder\\.mlp\\.0\\.(.*)", TIME + "timestep_embedder.linear_1.$1")
            .rule("t_embedder\\.mlp\\.2\\.(.*)", TIME + "timestep_embedder.linear_2.$1")
            .rule("y_embedder\\.mlp\\.0\\.(.*)", TIME + "text_embedder.linear_1.$1")
            .rule("y_embedder\\.mlp\\.2\\.(.*)", TIME + "text_embedder.linear_2.$1")
            .swapped("final_layer\\.adaLN_modulation\\.1\\.(.*)", "norm_out.linear.$1")
            .rule("final_layer\\.linear\\.(.*)", "proj_out.$1");
    attention(renaming, "x_block\\.attn", "attn.", "to_q to_k to_v", "norm_", "to_out.0");
    attention(renaming, "x_block\\.attn2", "attn2.", "to_q to_k to_v", "norm_", "to_out.0");
    attention(
        renaming,
        "context_block\\.attn",
        "attn.",
        "add_q_proj add_k_proj add_v_proj",
        "norm_added_",
        "to_add_out");
    String block = "joint_blocks\\.(\\d+)\\.";
    String context = "context_block\\.adaLN_modulation\\.1\\.(.*)";
    return renaming
        .rule(block + "x_block\\.adaLN_modulation\\.1\\.(.*)", BLOCK + "norm1.linear.$2")
        .rule(
            "joint_blocks\\.((?!" + last + "\\.)\\d+)\\." + context,
            BLOCK + "norm1_context.linear.$2")
        .swapped("joint_blocks\\.(" + last + ")\\." + context, BLOCK + "norm1_context.linear.$2")
        .rule(block + "x_block\\.mlp\\.fc1\\.(.*)", BLOCK + "ff.net.0.proj.$2")
        .rule(block + "x_block\\.mlp\\.fc2\\.(.*)", BLOCK + "ff.net.2.$2")
        .rule(block + "context_block\\.mlp\\.fc1\\.(.*)", BLOCK + "ff_context.net.0.proj.$2")
        .rule(block + "context_block\\.mlp\\.fc2\\.(.*)", BLOCK + "ff_context.net.2.$2")
        .done();
  }

  private static final String BLOCK = "transformer_blocks.$1.";

  private static void attention(Tensors.Renaming to, String name, String... theirs) {
    String block = "joint_blocks\\.(\\d+)\\." + name + "\\.";
    String attention = BLOCK + theirs[0];
    String[] projections = theirs[1].split(" ", -1);
    to.rule(
            block + "qkv\\.(.*)",
            attention + projections[0] + ".$2",
            attention + projections[1] + ".$2",
            attention + projections[2] + ".$2")
        .rule(block + "ln_q\\.weight", attention + theirs[2] + "q.weight")
        .rule(block + "ln_k\\.weight", attention + theirs[2] + "k.weight")
        .rule(block + "proj\\.(.*)", attention + theirs[3] + ".$2");
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int depth = tensors.count("transformer_blocks.");
    int width = tensors.size("pos_embed.proj.weight", 0);
    boolean normed = tensors.has("transformer_blocks.0.attn.norm_q.weight");
    // without norms there are as many heads as blocks, as in Stability AI's sd3_impls.py
    int head = normed ? tensors.size("transformer_blocks.0.attn.norm_q.weight", 0) : width / depth;
    if (head == 0 || width % head != 0) {
      throw new ModelException("a width of " + width + " is no whole number of heads of " + head);
    }
    Map<String, Object> config = new HashMap<>();
    config.put("num_layers", depth);
    config.put("num_attention_heads", width / head);
    config.put("attention_head_dim", head);
    config.put("caption_projection_dim", width);
    config.put("in_channels", tensors.size("pos_embed.proj.weight", 1));
    config.put("patch_size", tensors.size("pos_embed.proj.weight", 2));
    config.put("joint_attention_dim", tensors.size("context_embedder.weight", 1));
    config.put("pooled_projection_dim", tensors.size(TIME + "text_embedder.linear_1.weight", 1));
    int table = (int) Math.sqrt(tensors.size("pos_embed.pos_embed", 1));
    config.put("pos_embed_max_size", table);
    config.put(
        "sample_size", Math.min(USUAL_SIZE, table * tensors.size("pos_embed.proj.weight", 2)));
    config.put(
        "dual_attention_layers",
        IntStream.range(0, depth)
            .filter(i -> tensors.has("transformer_blocks." + i + ".attn2.to_q.weight"))
            .boxed()
            .toList());
    if (normed) {
      config.put("qk_norm", "rms_norm");
    }
    return config;
  }

  @Override
  public String className() {
    return "SD3Transformer2DModel";
  }

  @Override
  public String pipeline(Tensors tensors, Path file) {
    return "StableDiffusion3Pipeline";
  }

  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    return ModelFormat.flowMatching(3, Map.of());
  }

  @Override
  public Map<String, Object> vae() {
    return Map.of("scaling_factor", 1.5305, "shift_factor", 0.0609, "sample_size", 1024);
  }

  @Override
  public List<TextSlot> texts() {
    String clip = "CLIPTextModelWithProjection";
    return List.of(
        new TextSlot("", clip, "CLIPTokenizer", "clip_l", false, Map.of()),
        new TextSlot("_2", clip, "CLIPTokenizer", "clip_g", false, Map.of("hidden_act", "gelu")),
        new TextSlot("_3", "T5EncoderModel", "T5TokenizerFast", "t5xxl", true, Map.of()));
  }
}
