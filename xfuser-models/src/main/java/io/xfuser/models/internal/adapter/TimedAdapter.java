package io.xfuser.models.internal.adapter;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An adapter by which pictures are prompts, as diffusers' {@code SD3Transformer2DLoadersMixin}
 * reads it: a resampler that sees the timestep ({@code IPAdapterTimeImageProjection}), and, for
 * each attention, what its image tokens attend the picture by ({@code
 * SD3IPAdapterJointAttnProcessor2_0}).
 *
 * @param weights {@code image_proj.…} and, for each attention, {@code 0.to_k_ip} and so on
 * @param seen width of what a picture is seen as
 * @param hidden R, width within the resampler, and of what it makes of a timestep
 * @param heads in each of its layers, 64 wide
 * @param queries Q, tokens that it makes of a picture
 * @param layers of it
 * @param sinusoids of a timestep
 * @param scale how much counts what is attended of a picture
 */
public record TimedAdapter(
    Weights weights,
    long seen,
    long hidden,
    int heads,
    int queries,
    int layers,
    int sinusoids,
    double scale) {
  private static final String RESAMPLER = "image_proj.";
  private static final int HEAD = 64;
  private static final double USUAL_SCALE = 0.5;

  /**
   * Those in files, none or one, whose weights are read by {@code weights}.
   *
   * @throws ArgumentException if there are several, or several scales
   * @throws ModelException if a file is another kind of adapter
   */
  public static List<TimedAdapter> of(List<Adapters.Adapter> all, List<Weights> weights) {
    if (all.size() > 1) {
      throw new ArgumentException(
          "Stable Diffusion 3 takes one ip_adapter, but %d are given".formatted(all.size()));
    }
    return IntStream.range(0, all.size()).mapToObj(i -> of(all.get(i), weights.get(i))).toList();
  }

  private static TimedAdapter of(Adapters.Adapter file, Weights weights) {
    if (!file.weights().names().contains(RESAMPLER + "latents")) {
      throw new ModelException(
          "%s is no IP-Adapter for Stable Diffusion 3: it has no resampler, %slatents"
              .formatted(file.file(), RESAMPLER));
    }
    long[] in = file.matrix(RESAMPLER + "proj_in.weight");
    long[] latents = file.weights().shape(RESAMPLER + "latents");
    long inner = file.matrix(RESAMPLER + "layers.0.attn.to_q.weight")[0];
    int heads = Math.toIntExact(inner / HEAD);
    if (heads == 0 || inner % HEAD != 0) {
      throw new ModelException(
          "%s: a resampler whose queries are %d wide has no heads of %d"
              .formatted(file.file(), inner, HEAD));
    }
    if (latents.length != 3) {
      throw new ModelException(
          "%s: %slatents has the shape %s, but the model needs (1, tokens, width)"
              .formatted(file.file(), RESAMPLER, Arrays.toString(latents)));
    }
    int layers = 0;
    while (file.weights().names().contains(layer(layers) + "ln0.weight")) {
      layers++;
    }
    return new TimedAdapter(
        weights,
        in[1],
        in[0],
        heads,
        Math.toIntExact(latents[1]),
        layers,
        Math.toIntExact(file.matrix(RESAMPLER + "time_embedding.linear_1.weight")[1]),
        scale(file.scales()));
  }

  private static double scale(List<Double> scales) {
    if (scales.size() > 1) {
      throw new ArgumentException(
          "Stable Diffusion 3 takes one scale of an ip_adapter, but %d are given"
              .formatted(scales.size()));
    }
    return scales.isEmpty() ? USUAL_SCALE : scales.get(0);
  }

  private static String layer(int number) {
    return RESAMPLER + "layers." + number + ".";
  }

  /** The resampler; {@code width} is that of the transformer. */
  public WeightMap resampler(WeightMap w, long width) {
    long inner = (long) heads * HEAD;
    WeightMap map =
        w.reading(weights)
            .plain()
            .tensor(RESAMPLER + "latents", 1, queries, hidden)
            .linear(RESAMPLER + "proj_in", hidden, seen)
            .linear(RESAMPLER + "proj_out", width, hidden)
            .norm(RESAMPLER + "norm_out", width)
            .mlp(RESAMPLER + "time_embedding", hidden, sinusoids);
    for (int i = 0; i < layers; i++) {
      String from = layer(i);
      map =
          map.linear(one("resampler.adaln_proj.", i, from + "adaln_proj"), 4 * hidden, hidden)
              .norms(one("resampler.ln0.", i, from + "ln0"), hidden)
              .norms(one("resampler.ln1.", i, from + "ln1"), hidden)
              .norms(one("resampler.adaln_norm.", i, from + "adaln_norm"), hidden)
              .withoutBias()
              .linear(one("resampler.to_q.", i, from + "attn.to_q"), inner, hidden)
              .linear(one("resampler.to_kv.", i, from + "attn.to_kv"), 2 * inner, hidden)
              .linear(one("resampler.to_out.", i, from + "attn.to_out.0"), hidden, inner)
              .linear(one("resampler.ff_in.", i, from + "ff.net.0.proj"), 4 * hidden, hidden)
              .linear(one("resampler.ff_out.", i, from + "ff.net.2"), hidden, 4 * hidden)
              .withBias();
    }
    return map;
  }

  /** Attentions {@code first} to {@code end} (exclusive), counted over all blocks, of one block. */
  public WeightMap block(WeightMap w, int first, int end, Inner heads) {
    WeightMap map = w.reading(weights);
    for (int i = 0; i < end - first; i++) {
      String from = first + i + ".";
      map =
          map.linear(one("norm_ip.", i, from + "norm_ip.linear"), 2 * heads.width(), hidden)
              .withoutBias()
              .inward(
                  new Joined("to_kv_ip." + i, List.of(from + "to_k_ip", from + "to_v_ip")),
                  heads,
                  heads.width())
              .withBias()
              .scales(
                  new Joined("norm_qk." + i, List.of(from + "norm_q", from + "norm_k")),
                  heads.size())
              .scales(
                  new Joined("norm_ip_k." + i, List.of(from + "norm_ip_k", from + "norm_ip_k")),
                  heads.size());
    }
    return map;
  }

  /** Elements that a block keeps of a timestep: shifts and scales of the picture's tokens. */
  public static long kept(int attentions, long width) {
    return 2L * attentions * width;
  }

  private static Joined one(String name, int number, String stored) {
    return new Joined(name + number, List.of(stored));
  }
}
