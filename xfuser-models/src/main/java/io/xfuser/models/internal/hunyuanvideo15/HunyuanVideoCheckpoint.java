package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * HunyuanVideo 1.5 in a file of its authors' names, of ComfyUI's, or of diffusers'. Source:
 * diffusers {@code scripts/convert_hunyuan_video1_5_to_diffusers.py}, and for ComfyUI's names
 * {@code comfy/supported_models.py} ({@code HunyuanVideo.process_unet_state_dict}).
 */
public final class HunyuanVideoCheckpoint implements ModelFormat {
  private static final String BLOCKS = "transformer_blocks.";
  private static final String REFINERS = "context_embedder.token_refiner.refiner_blocks.";
  private static final String PATCH = "x_embedder.proj.weight";
  private static final String GLYPHS = "context_embedder_2.norm.weight";
  private static final String SEEN = "image_embedder.norm_in.weight";

  /** What a model distilled to two timesteps has beside, by the authors' names or by diffusers'. */
  private static final String SECOND_TIME = "(time_r_in|time_embed\\.timestep_embedder_r)\\..*";

  private static final Pattern SIZE = Pattern.compile("(480|720)p");
  private static final Pattern BEGINNING = Pattern.compile("t2v|i2v");

  @Override
  public String title() {
    return "a HunyuanVideo 1.5 transformer";
  }

  /** {@inheritDoc} Its pictures are seen, unlike those of HunyuanImage, which has its glyphs. */
  @Override
  public boolean fits(Tensors tensors) {
    return (tensors.has("byt5_in.fc1.weight") && tensors.has("vision_in.proj.0.weight"))
        || (tensors.has(GLYPHS) && tensors.has(SEEN));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (tensors.has(GLYPHS)) {
      return tensors;
    }
    Tensors.Renaming to = new Tensors.Renaming(tensors);
    stream(to, "img", "to_q to_k to_v", "norm_", "to_out.0", "norm1", "ff");
    stream(
        to,
        "txt",
        "add_q_proj add_k_proj add_v_proj",
        "norm_added_",
        "to_add_out",
        "norm1_context",
        "ff_context");
    refiners(to);
    return ends(to).done();
  }

  /**
   * One of the two streams of the blocks.
   *
   * @param theirs what diffusers calls projections, norms of heads, the layer back, modulation and
   *     feed-forward layer
   */
  private static void stream(Tensors.Renaming to, String name, String... theirs) {
    String block = "double_blocks\\.(\\d+)\\." + name + "_";
    String its = BLOCKS + "$1.";
    String[] projections = theirs[0].split(" ", -1);
    to.rule(
        block + "attn[._]qkv\\.(.*)",
        its + "attn." + projections[0] + ".$2",
        its + "attn." + projections[1] + ".$2",
        its + "attn." + projections[2] + ".$2");
    for (int i = 0; i < projections.length; i++) {
      to.rule(
          block + "attn_" + "qkv".charAt(i) + "\\.(.*)", its + "attn." + projections[i] + ".$2");
    }
    String norm = block + "attn(?:_%s_norm|\\.%s_norm|\\.norm\\.%s_norm)\\.(?:weight|scale)";
    to.rule(norm.formatted("q", "q", "query"), its + "attn." + theirs[1] + "q.weight")
        .rule(norm.formatted("k", "k", "key"), its + "attn." + theirs[1] + "k.weight")
        .rule(block + "attn[._]proj\\.(.*)", its + "attn." + theirs[2] + ".$2")
        .rule(block + "mod\\.lin(?:ear)?\\.(.*)", its + theirs[3] + ".linear.$2")
        .rule(block + "mlp\\.(?:fc1|0)\\.(.*)", its + theirs[4] + ".net.0.proj.$2")
        .rule(block + "mlp\\.(?:fc2|2)\\.(.*)", its + theirs[4] + ".net.2.$2");
  }

  /** What refines the text. */
  private static void refiners(Tensors.Renaming to) {
    String block = "txt_in\\.individual_token_refiner\\.blocks\\.(\\d+)\\.";
    String its = REFINERS + "$1.";
    to.rule(
            block + "self_attn[._]qkv\\.(.*)",
            its + "attn.to_q.$2",
            its + "attn.to_k.$2",
            its + "attn.to_v.$2")
        .rule(block + "self_attn[._]proj\\.(.*)", its + "attn.to_out.0.$2")
        .rule(block + "(norm[12])\\.(.*)", its + "$2.$3")
        .rule(block + "mlp\\.(?:fc1|0)\\.(.*)", its + "ff.net.0.proj.$2")
        .rule(block + "mlp\\.(?:fc2|2)\\.(.*)", its + "ff.net.2.$2")
        .rule(block + "adaLN_modulation\\.1\\.(.*)", its + "norm_out.linear.$2");
  }

  /** What is before and after the blocks. */
  private static Tensors.Renaming ends(Tensors.Renaming to) {
    String text = "context_embedder.time_text_embed.";
    String[] picture = {"norm_in", "linear_1", "", "linear_2", "norm_out"};
    for (int i = 0; i < picture.length; i++) {
      to.rule("vision_in\\.proj\\." + i + "\\.(.*)", "image_embedder." + picture[i] + ".$1");
    }
    String first = "(?:mlp\\.0|in_layer|linear_1)\\.(.*)";
    String last = "(?:mlp\\.2|out_layer|linear_2)\\.(.*)";
    return to.rule("time_in\\." + first, "time_embed.timestep_embedder.linear_1.$1")
        .rule("time_in\\." + last, "time_embed.timestep_embedder.linear_2.$1")
        .rule("txt_in\\.t_embedder\\." + first, text + "timestep_embedder.linear_1.$1")
        .rule("txt_in\\.t_embedder\\." + last, text + "timestep_embedder.linear_2.$1")
        .rule("txt_in\\.c_embedder\\." + first, text + "text_embedder.linear_1.$1")
        .rule("txt_in\\.c_embedder\\." + last, text + "text_embedder.linear_2.$1")
        .rule("txt_in\\.input_embedder\\.(.*)", "context_embedder.proj_in.$1")
        .rule("byt5_in\\.layernorm\\.(.*)", "context_embedder_2.norm.$1")
        .rule("byt5_in\\.fc([123])\\.(.*)", "context_embedder_2.linear_$1.$2")
        .rule("img_in\\.proj\\.(.*)", "x_embedder.proj.$1")
        .rule("cond_type_embedding\\.weight", "cond_type_embed.weight")
        .rule("final_layer\\.linear\\.(.*)", "proj_out.$1")
        .swapped("final_layer\\.adaLN_modulation\\.1\\.(.*)", "norm_out.linear.$1");
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int head = tensors.size(BLOCKS + "0.attn.norm_q.weight", 0);
    int turning = head * 7 / 16 / 2 * 2; // with each of row and column, the rest with the frame
    return Map.ofEntries(
        Map.entry("num_layers", tensors.count(BLOCKS)),
        Map.entry("num_refiner_layers", tensors.count(REFINERS)),
        Map.entry("num_attention_heads", tensors.size(PATCH, 0) / head),
        Map.entry("attention_head_dim", head),
        Map.entry("rope_axes_dim", List.of(head - 2 * turning, turning, turning)),
        Map.entry("in_channels", tensors.size(PATCH, 1)),
        Map.entry("out_channels", tensors.size("proj_out.bias", 0)),
        Map.entry("text_embed_dim", tensors.size("context_embedder.proj_in.weight", 1)),
        Map.entry("text_embed_2_dim", tensors.size(GLYPHS, 0)),
        Map.entry("image_embed_dim", tensors.size(SEEN, 0)),
        Map.entry("use_meanflow", tensors.any(SECOND_TIME)));
  }

  @Override
  public Map<String, Object> named(Path file) {
    return Map.of("target_size", large(file) ? 960 : 640);
  }

  private static boolean large(Path file) {
    return name(file).contains("720p");
  }

  private static boolean beginsWithPicture(Path file) {
    return name(file).contains("i2v");
  }

  /**
   * What tells the kind: the file's name, or its folder's, as the authors publish {@code
   * 720p_t2v/diffusion_pytorch_model.safetensors}.
   */
  private static String name(Path file) {
    String own = lower(file);
    Path folder = file.toAbsolutePath().getParent();
    return folder == null || tellsAll(own) ? own : lower(folder) + "/" + own;
  }

  private static boolean tellsAll(String name) {
    return SIZE.matcher(name).find() && BEGINNING.matcher(name).find();
  }

  private static String lower(Path place) {
    return String.valueOf(place.getFileName()).toLowerCase(Locale.ROOT);
  }

  @Override
  public String className() {
    return "HunyuanVideo15Transformer3DModel";
  }

  /**
   * What begins with a picture has the same tensors, so only names tell.
   *
   * @throws ModelException where neither the file's name nor its folder's does
   */
  @Override
  public String pipeline(Tensors tensors, Path file) {
    if (!tellsAll(name(file))) {
      throw new ModelException(
          "%s: its name, or its folder's, must say 480p or 720p, and t2v or i2v: no tensor does"
              .formatted(file));
    }
    return beginsWithPicture(file)
        ? "HunyuanVideo15ImageToVideoPipeline"
        : "HunyuanVideo15Pipeline";
  }

  @Override
  public Map<String, Object> guider(Path file) {
    return Map.of(
        "_class_name",
        HunyuanVideoGuider.CLASS,
        "guidance_scale",
        name(file).contains("distilled") ? 1.0 : 6.0);
  }

  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    double large = beginsWithPicture(file) ? 7 : 9;
    return ModelFormat.flowMatching(large(file) ? large : 5, Map.of());
  }

  @Override
  public Map<String, Object> vae() {
    return Map.of("_class_name", "AutoencoderKLHunyuanVideo15");
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(
        new TextSlot("", "Qwen2_5_VLTextModel", "Qwen2Tokenizer", "qwen25_7b", false, Map.of()),
        new TextSlot("_2", "T5EncoderModel", "ByT5Tokenizer", "byt5_small", false, Map.of()));
  }
}
