package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Collects a part's weights in the order in which its program reads them. Sizes are those that the
 * model needs; what a file has otherwise is refused by file and name.
 */
public final class WeightList {
  private final NDManager scope = Torch.newManager();
  private final List<NDArray> tensors = new ArrayList<>();
  private final Weights weights;
  private final Share share;

  private WeightList(Weights weights, Share share) {
    this.weights = weights;
    this.share = share;
  }

  /**
   * The list that {@code reading} collects from {@code weights}: now, and again if it was released
   * in between, as long as the weights are open.
   */
  public static TensorList of(Weights weights, UnaryOperator<WeightList> reading) {
    return of(weights, Share.WHOLE, reading);
  }

  /** The same, of the layers to and from an {@link Inner} width only {@code share}. */
  public static TensorList of(Weights weights, Share share, UnaryOperator<WeightList> reading) {
    return TensorList.read(() -> collect(weights, share, reading));
  }

  private static TensorList collect(
      Weights weights, Share share, UnaryOperator<WeightList> reading) {
    WeightList list = new WeightList(weights, share);
    try (list.scope) {
      return TensorList.of(reading.apply(list).tensors);
    }
  }

  /** One tensor. */
  public WeightList tensor(String name, long... shape) {
    tensors.add(weights.get(scope, name, shape));
    return this;
  }

  /** One tensor in the form that the program wants it in. */
  public WeightList tensor(
      BiFunction<NDManager, NDArray, NDArray> form, String name, long... shape) {
    tensors.add(form.apply(scope, weights.get(scope, name, shape)));
    return this;
  }

  /** Weight (out, in) and bias (out) of a linear layer. */
  public WeightList linear(String name, long out, long in) {
    return linears(out, in, name);
  }

  /** Several linear layers of one input as one: weight (n·out, in) and bias (n·out). */
  public WeightList linears(long out, long in, String... names) {
    return rows(new Cut(0, 0, out), out, in, names);
  }

  /**
   * The layers from the tokens to an inner width, several of one input as one: the share's rows of
   * each, weight (n·own, in) and bias (n·own).
   */
  public WeightList inward(Inner inner, long in, String... names) {
    return rows(inner.cut(share, 0), inner.width(), in, names);
  }

  private WeightList rows(Cut cut, long out, long in, String... names) {
    tensors.add(rows(".weight", names, cut, out, in));
    tensors.add(rows(".bias", names, cut, out));
    return this;
  }

  private NDArray rows(String kind, String[] names, Cut cut, long... shape) {
    List<NDArray> parts = new ArrayList<>();
    for (String name : names) {
      parts.add(weights.get(scope, cut, name + kind, shape));
    }
    return parts.size() == 1 ? parts.get(0) : Torch.concat(scope, parts, 0);
  }

  /**
   * The layer from an inner width back to the tokens, or from several that are not joined: for each
   * the share's columns (out, own), then the bias (out), which is 0 in all shares but the first, as
   * it is added once. Columns are copied: libtorch multiplies by a part of a wider matrix with a
   * reference kernel that is a thousand times slower.
   */
  public WeightList outward(String name, long out, Inner... inners) {
    long in = Stream.of(inners).mapToLong(Inner::width).sum();
    long from = 0;
    for (Inner inner : inners) {
      Cut columns = inner.cut(share, 1).shifted(from);
      tensors.add(weights.get(scope, columns, name + ".weight", out, in));
      from += inner.width();
    }
    return share.isFirst()
        ? tensor(name + ".bias", out)
        : tensor((to, bias) -> Torch.zerosLike(to, bias), name + ".bias", out);
  }

  /** Weight and bias (n) of a norm. */
  public WeightList norm(String name, long size) {
    return tensor(name + ".weight", size).tensor(name + ".bias", size);
  }

  /** A convolution over patches as a linear layer on tokens: (width, p·p·c) and bias (width). */
  public WeightList patches(String name, long width, Patch patch) {
    long p = patch.size();
    return tensor(Patchify::embeddingWeight, name + ".weight", width, patch.channels(), p, p)
        .tensor(name + ".bias", width);
  }

  /** The projection of hidden states to a patch's latents alone: (p·p·c, width), bias (p·p·c). */
  public WeightList patchHead(String name, long width, Patch patch) {
    Patchify patchify = new Patchify(patch.size());
    long rows = (long) patch.size() * patch.size() * patch.predicted();
    BiFunction<NDManager, NDArray, NDArray> keep =
        (owner, all) -> patchify.headRows(owner, all, patch.channels());
    return tensor(keep, name + ".weight", rows, width).tensor(keep, name + ".bias", rows);
  }

  /** Two linear layers named {@code linear_1} and {@code linear_2} under {@code prefix}. */
  public WeightList mlp(String prefix, long out, long in) {
    return linear(prefix + "linear_1", out, in).linear(prefix + "linear_2", out, out);
  }

  /**
   * The latents of a token.
   *
   * @param size p, latents along each side
   * @param channels c
   * @param predicted channels that the head has: those of the latents, and learned variances
   */
  public record Patch(int size, int channels, int predicted) {}
}
