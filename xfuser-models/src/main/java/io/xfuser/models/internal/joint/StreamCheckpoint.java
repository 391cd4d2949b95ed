package io.xfuser.models.internal.joint;

import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Blocks of two streams, and of one, in a file of Black Forest Labs' names. Source: diffusers 0.36
 * {@code loaders/single_file_utils.py} ({@code convert_flux_transformer_checkpoint_to_diffusers},
 * {@code convert_chroma_transformer_checkpoint_to_diffusers}), but widths are those of the tensors.
 */
public final class StreamCheckpoint {
  private static final String MLP = "double_blocks\\.(\\d+)\\.%s_mlp\\.%s\\.(.*)";

  /** What the weight of a norm is called, by the authors and by newer versions of ComfyUI. */
  public static final String GAIN = "(?:scale|weight)";

  private StreamCheckpoint() {}

  /** Whether {@code tensors} have such blocks by these names. */
  public static boolean fits(Tensors tensors) {
    return tensors.any("double_blocks\\.0\\.img_attn\\.norm\\.key_norm\\." + GAIN)
        && tensors.has("single_blocks.0.linear1.weight")
        && tensors.has("img_in.weight");
  }

  /** {@code to} with diffusers' names of the blocks, and of the layers before and after them. */
  public static Tensors.Renaming renamed(Tensors.Renaming to, Tensors tensors) {
    return singleBlocks(streams(to, "net.0.proj", "net.2"), tensors.size("img_in.weight", 0));
  }

  /**
   * The same without the blocks of one stream.
   *
   * @param first what diffusers calls the first layer of an MLP
   * @param last what it calls the last one
   */
  public static Tensors.Renaming streams(Tensors.Renaming to, String first, String last) {
    to.rule("img_in\\.(.*)", "x_embedder.$1")
        .rule("txt_in\\.(.*)", "context_embedder.$1")
        .rule("final_layer\\.linear\\.(.*)", "proj_out.$1");
    for (String[] mlp : new String[][] {{"0", first}, {"2", last}}) {
      to.rule(MLP.formatted("img", mlp[0]), "transformer_blocks.$1.ff." + mlp[1] + ".$2")
          .rule(MLP.formatted("txt", mlp[0]), "transformer_blocks.$1.ff_context." + mlp[1] + ".$2");
    }
    stream(to, "img", "to_q to_k to_v", "norm_", "to_out.0");
    stream(to, "txt", "add_q_proj add_k_proj add_v_proj", "norm_added_", "to_add_out");
    return to;
  }

  /** The attention of one of the two streams of a double block. */
  private static void stream(Tensors.Renaming to, String name, String... theirs) {
    String block = "double_blocks\\.(\\d+)\\." + name + "_";
    String attention = "transformer_blocks.$1.attn.";
    String[] projections = theirs[0].split(" ", -1);
    to.rule(
            block + "attn\\.qkv\\.(.*)",
            attention + projections[0] + ".$2",
            attention + projections[1] + ".$2",
            attention + projections[2] + ".$2")
        .rule(block + "attn\\.norm\\.query_norm\\." + GAIN, attention + theirs[1] + "q.weight")
        .rule(block + "attn\\.norm\\.key_norm\\." + GAIN, attention + theirs[1] + "k.weight")
        .rule(block + "attn\\.proj\\.(.*)", attention + theirs[2] + ".$2");
  }

  private static Tensors.Renaming singleBlocks(Tensors.Renaming to, int width) {
    String block = "single_blocks\\.(\\d+)\\.";
    String theirs = "single_transformer_blocks.$1.";
    return to.cut(
            block + "linear1\\.(.*)",
            width,
            theirs + "attn.to_q.$2",
            theirs + "attn.to_k.$2",
            theirs + "attn.to_v.$2",
            theirs + "proj_mlp.$2")
        .rule(block + "linear2\\.(.*)", theirs + "proj_out.$2")
        .rule(block + "norm\\.query_norm\\." + GAIN, theirs + "attn.norm_q.weight")
        .rule(block + "norm\\.key_norm\\." + GAIN, theirs + "attn.norm_k.weight");
  }

  /** The settings that shapes tell. */
  public static Map<String, Object> config(Tensors tensors) {
    int head = tensors.size("transformer_blocks.0.attn.norm_k.weight", 0);
    return new HashMap<>(
        Map.of(
            "patch_size", 1,
            "in_channels", tensors.size("x_embedder.weight", 1),
            "out_channels", tensors.size("proj_out.weight", 0),
            "num_layers", tensors.count("transformer_blocks."),
            "num_single_layers", tensors.count("single_transformer_blocks."),
            "attention_head_dim", head,
            "num_attention_heads", tensors.size("x_embedder.weight", 0) / head,
            "joint_attention_dim", tensors.size("context_embedder.weight", 1),
            "axes_dims_rope", axes(head)));
  }

  /**
   * An eighth of a head for the picture's number, the rest for its rows and columns: 16, 56, 56.
   */
  private static List<Integer> axes(int head) {
    int first = Math.max(2, head / 8 / 2 * 2);
    int second = (head - first) / 2 / 2 * 2;
    return List.of(first, second, head - first - second);
  }

  /** The settings of the autoencoder of 16 channels, by Black Forest Labs. */
  public static Map<String, Object> vae() {
    return Map.of("scaling_factor", 0.3611, "shift_factor", 0.1159, "sample_size", 1024);
  }
}
