package io.xfuser.models.internal.joint;

import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import java.util.List;

/**
 * What a transformer of two streams has of an adapter by which pictures are prompts, as diffusers'
 * {@code FluxTransformer2DLoadersMixin} reads it.
 *
 * @param weights {@code image_proj.…} and, for each double block, {@code 0.to_k_ip}, {@code
 *     0.to_v_ip} and so on
 * @param seen the width of what a picture is seen as
 * @param made numbers that become of it: several tokens of text
 * @param scales how much counts what each double block attends
 */
public record PictureAdapter(Weights weights, long seen, long made, List<Double> scales) {
  /** The layer that {@code made} is counted by. */
  static final String PROJECTION = "image_proj.proj.weight";

  public PictureAdapter {
    scales = List.copyOf(scales);
  }

  /** What becomes of pictures before the first block, of all adapters. */
  public static WeightMap projections(WeightMap w, List<PictureAdapter> all, long textWidth) {
    WeightMap map = w;
    for (int i = 0; i < all.size(); i++) {
      PictureAdapter one = all.get(i);
      map =
          map.reading(one.weights())
              .plain()
              .linear(layer("image_proj.", i, "image_proj.proj"), one.made(), one.seen())
              .norms(layer("image_norm.", i, "image_proj.norm"), textWidth);
    }
    return map;
  }

  /** The layers of double block {@code index} of all adapters. */
  public static WeightMap block(
      WeightMap w, List<PictureAdapter> all, int index, Inner heads, long textWidth) {
    WeightMap map = w;
    for (int i = 0; i < all.size(); i++) {
      Joined layers = new Joined("to_kv_ip." + i, List.of(index + ".to_k_ip", index + ".to_v_ip"));
      map = map.reading(all.get(i).weights()).inward(layers, heads, textWidth);
    }
    return map;
  }

  /** Elements of a block's keys and values of a picture for each of {@code all}. */
  public static long kept(List<PictureAdapter> all, StreamConfig config, long rows) {
    long tokens = all.stream().mapToLong(one -> one.made() / config.textWidth()).sum();
    return 2 * rows * tokens * config.width();
  }

  private static Joined layer(String name, int number, String stored) {
    return new Joined(name + number, List.of(stored));
  }
}
