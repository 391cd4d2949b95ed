package io.xfuser.models.internal.wan;

import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Wan in a file of its authors' names, which ComfyUI and GGUF files keep, or of diffusers'. Source:
 * diffusers 0.36 {@code loaders/single_file_utils.py} ({@code
 * convert_wan_transformer_to_diffusers}).
 */
public final class WanCheckpoint implements ModelFormat {
  private static final int HEAD = 128; // of all that are published; no shape tells
  private static final int USUAL_CHANNELS = 16; // of 2.1's autoencoder

  /** One of two transformers, each of which is for some of the steps; Kijai leaves "noise" out. */
  private static final Pattern ONE_OF_TWO =
      Pattern.compile("(high|low)[_-]?noise|wan_?2[._]?2.*(?:[^a-z]|2v)(high|low)(?![a-z])");

  /** What variants have that see more than a text and pictures. */
  private static final String PARTS =
      "(vace|control|audio|casual_audio|face|motion|pose|ref_conv).*"
          + "|blocks\\.0\\.(cam_encoder|audio_).*";

  private static final String PATCH = "patch_embedding.weight";
  private static final String OUT = "proj_out.bias";
  private static final String TEXT = "condition_embedder.text_embedder.linear_1.weight";
  private static final String SEEN = "condition_embedder.image_embedder.norm1.weight";
  private static final String PLACES = "condition_embedder.image_embedder.pos_embed";

  @Override
  public String title() {
    return "a Wan transformer";
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has(PATCH)
        && (tensors.has("blocks.0.self_attn.norm_q.weight")
            || tensors.has("blocks.0.attn1.norm_q.weight"))
        && !tensors.any(PARTS);
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (tensors.has("blocks.0.attn1.norm_q.weight")) {
      return tensors;
    }
    String block = "(blocks\\.\\d+)\\.";
    String embedder = "condition_embedder.";
    String picture = embedder + "image_embedder.";
    Tensors.Renaming to = new Tensors.Renaming(tensors);
    attention(to, block + "self_attn\\.", "$1.attn1.");
    attention(to, block + "cross_attn\\.", "$1.attn2.");
    return to.rule(block + "cross_attn\\.([kv])_img\\.(.*)", "$1.attn2.add_$2_proj.$3")
        .rule(block + "cross_attn\\.norm_k_img\\.(.*)", "$1.attn2.norm_added_k.$2")
        .rule(block + "norm3\\.(.*)", "$1.norm2.$2")
        .rule(block + "ffn\\.0\\.(.*)", "$1.ffn.net.0.proj.$2")
        .rule(block + "ffn\\.2\\.(.*)", "$1.ffn.net.2.$2")
        .rule(block + "modulation", "$1.scale_shift_table")
        .rule("head\\.modulation", "scale_shift_table")
        .rule("head\\.head\\.(.*)", "proj_out.$1")
        .rule("(text|time)_embedding\\.0\\.(.*)", embedder + "$1_embedder.linear_1.$2")
        .rule("(text|time)_embedding\\.2\\.(.*)", embedder + "$1_embedder.linear_2.$2")
        .rule("time_projection\\.1\\.(.*)", embedder + "time_proj.$1")
        .rule("img_emb\\.proj\\.0\\.(.*)", picture + "norm1.$1")
        .rule("img_emb\\.proj\\.1\\.(.*)", picture + "ff.net.0.proj.$1")
        .rule("img_emb\\.proj\\.3\\.(.*)", picture + "ff.net.2.$1")
        .rule("img_emb\\.proj\\.4\\.(.*)", picture + "norm2.$1")
        .rule("img_emb\\.emb_pos", PLACES)
        .done();
  }

  private static void attention(Tensors.Renaming to, String from, String name) {
    to.rule(from + "([qkv])\\.(.*)", name + "to_$2.$3")
        .rule(from + "o\\.(.*)", name + "to_out.0.$2")
        .rule(from + "norm_([qk])\\.(.*)", name + "norm_$2.$3");
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int width = tensors.size(PATCH, 0);
    int heads = Math.max(1, width / HEAD);
    Map<String, Object> config = new HashMap<>();
    config.put("num_layers", tensors.count("blocks."));
    config.put("num_attention_heads", heads);
    config.put("attention_head_dim", width / heads);
    config.put("patch_size", List.of(tensors.size(PATCH, 2), side(tensors), side(tensors)));
    config.put("in_channels", tensors.size(PATCH, 1));
    config.put("out_channels", channels(tensors));
    config.put("text_dim", tensors.size(TEXT, 1));
    config.put("ffn_dim", tensors.size("blocks.0.ffn.net.0.proj.bias", 0));
    config.put("cross_attn_norm", tensors.has("blocks.0.norm2.weight"));
    if (tensors.has(SEEN)) {
      config.put("image_dim", tensors.size(SEEN, 0));
      config.put("added_kv_proj_dim", width);
    }
    if (tensors.has(PLACES)) {
      config.put("pos_embed_seq_len", tensors.size(PLACES, 1));
    }
    return config;
  }

  private static int side(Tensors tensors) {
    return tensors.size(PATCH, 3);
  }

  private static int channels(Tensors tensors) {
    return tensors.size(OUT, 0) / (tensors.size(PATCH, 2) * side(tensors) * side(tensors));
  }

  @Override
  public String className() {
    return "WanTransformer3DModel";
  }

  @Override
  public String pipeline(Tensors tensors, Path file) {
    return begins(tensors) ? "WanImageToVideoPipeline" : "WanPipeline";
  }

  /** Whether it is given the latents of a picture beside the video's. */
  private static boolean begins(Tensors tensors) {
    return tensors.size(PATCH, 1) != channels(tensors);
  }

  @Override
  public Half half(Path file) {
    Matcher name = ONE_OF_TWO.matcher(String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT));
    if (!name.find()) {
      return Half.ALONE;
    }
    return Objects.requireNonNullElse(name.group(1), name.group(2)).equals("high")
        ? Half.FIRST
        : Half.SECOND;
  }

  /** {@inheritDoc} As published for 2.2 A14B, which has the latents of 2.1. */
  @Override
  public Map<String, Object> indexOfTwo(Tensors tensors) {
    return deep(tensors) || tensors.has(SEEN)
        ? Map.of()
        : Map.of(TwoTransformers.BOUNDARY, begins(tensors) ? 0.9 : 0.875);
  }

  @Override
  public String imageEncoder(Tensors tensors) {
    return tensors.has(SEEN) ? "CLIPVisionModel" : "";
  }

  @Override
  public Map<String, Object> index(Tensors tensors, Path file) {
    return Map.of("expand_timesteps", deep(tensors));
  }

  /** Whether it is TI2V-5B, which has the larger latents of 2.2. */
  private static boolean deep(Tensors tensors) {
    return channels(tensors) > USUAL_CHANNELS;
  }

  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    return Map.of(
        "_class_name",
        "UniPCMultistepScheduler",
        "num_train_timesteps",
        1000,
        "prediction_type",
        "flow_prediction",
        "use_flow_sigmas",
        true,
        "flow_shift",
        deep(tensors) ? 5.0 : tensors.has(PLACES) ? 16.0 : 3.0,
        "solver_order",
        2,
        "final_sigmas_type",
        "zero");
  }

  @Override
  public Map<String, Object> vae() {
    return Map.of("_class_name", "AutoencoderKLWan");
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(
        new TextSlot("", "UMT5EncoderModel", "T5TokenizerFast", "umt5xxl", false, Map.of()));
  }
}
