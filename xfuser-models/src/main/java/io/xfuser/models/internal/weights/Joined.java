package io.xfuser.models.internal.weights;

import java.util.List;
import java.util.stream.Stream;

/**
 * Linear layers of one input, or norms, that programs take as one matrix: read as one where one
 * product is faster than several, else as parts (docs/adr 0080). Those of an attention have the
 * names that diffusers gives them when it fuses them itself ({@code fuse_projections}).
 *
 * @param name what programs call them together
 * @param layers their names in the checkpoint, in the order of their rows
 */
public record Joined(String name, List<String> layers) {
  public Joined {
    layers = List.copyOf(layers);
  }

  /** A layer alone. */
  public static Joined one(String name) {
    return new Joined(name, List.of(name));
  }

  /** {@code to_qkv} of the attention of this name: queries, keys and values of its tokens. */
  public static Joined queriesKeysValues(String attention) {
    return under(attention, "to_qkv", "to_q", "to_k", "to_v");
  }

  /** {@code to_kv}: keys and values of the text that it looks at. */
  public static Joined keysValues(String attention) {
    return under(attention, "to_kv", "to_k", "to_v");
  }

  /** {@code to_added_qkv}: queries, keys and values of the text that is attended to jointly. */
  public static Joined addedQueriesKeysValues(String attention) {
    return under(attention, "to_added_qkv", "add_q_proj", "add_k_proj", "add_v_proj");
  }

  /** {@code to_added_kv}: keys and values of a picture that it looks at besides. */
  public static Joined addedKeysValues(String attention) {
    return under(attention, "to_added_kv", "add_k_proj", "add_v_proj");
  }

  /** {@code norm_qk}: the norms of queries and keys. */
  public static Joined norms(String attention) {
    return under(attention, "norm_qk", "norm_q", "norm_k");
  }

  /** {@code norm_added_qk}: those of the text's that is attended to jointly. */
  public static Joined addedNorms(String attention) {
    return under(attention, "norm_added_qk", "norm_added_q", "norm_added_k");
  }

  /** {@code layers} below {@code module}, together {@code name}. */
  public static Joined under(String module, String name, String... layers) {
    String prefix = module + ".";
    return new Joined(prefix + name, Stream.of(layers).map(prefix::concat).toList());
  }
}
