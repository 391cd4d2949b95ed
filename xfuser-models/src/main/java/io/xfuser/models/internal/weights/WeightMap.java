package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Reads a part's weights. A program finds them by the checkpoint's names; what a linear layer's
 * entries are, {@code products.py} says. Sizes are those that the model needs; what a file has
 * otherwise is refused by file and name.
 */
public final class WeightMap {
  private final NDManager scope;
  private final Entries entries;
  private final Weights weights;
  private final Share share;
  private final Form form;

  private WeightMap(NDManager scope, Entries entries, Weights weights, Share share, Form form) {
    this.scope = scope;
    this.entries = entries;
    this.weights = weights;
    this.share = share;
    this.form = form;
  }

  /**
   * What layers are.
   *
   * @param biased whether they have biases
   * @param plain whether their weights are never quantized
   */
  private record Form(boolean biased, boolean plain) {}

  /**
   * What {@code reading} reads of {@code weights}: now, and again if it was released in between, as
   * long as the weights are open.
   */
  public static TensorMap of(Weights weights, UnaryOperator<WeightMap> reading) {
    return of(weights, Share.WHOLE, reading);
  }

  /** The same, of the layers to and from an {@link Inner} width only {@code share}. */
  public static TensorMap of(Weights weights, Share share, UnaryOperator<WeightMap> reading) {
    Weights outline = weights.outline();
    Supplier<TensorMap> later = () -> read(weights, share, reading);
    return outline == null
        ? TensorMap.read(later)
        : TensorMap.later(read(outline, share, reading), later);
  }

  private static TensorMap read(Weights weights, Share share, UnaryOperator<WeightMap> reading) {
    try (NDManager scope = Torch.newManager()) {
      WeightMap map = new WeightMap(scope, new Entries(), weights, share, new Form(true, false));
      return reading.apply(map).entries.map();
    }
  }

  /** This map, for layers and norms that have no bias. */
  public WeightMap withoutBias() {
    return new WeightMap(scope, entries, weights, share, new Form(false, form.plain));
  }

  /** This map, for layers and norms that have one. */
  public WeightMap withBias() {
    return new WeightMap(scope, entries, weights, share, new Form(true, form.plain));
  }

  /** This map, for what is never quantized: tables, and layers that others depend on. */
  public WeightMap plain() {
    return new WeightMap(scope, entries, weights, share, new Form(form.biased, true));
  }

  /** This map, which goes on with tensors of {@code others}, or their outline as before. */
  public WeightMap reading(Weights others) {
    boolean outlined = weights.outline() == null;
    Weights outline = others.outline();
    return new WeightMap(
        scope, entries, outlined && outline != null ? outline : others, share, form);
  }

  private WeightMap put(String name, NDArray tensor) {
    entries.put(name, tensor);
    return this;
  }

  public WeightMap tensor(String name, long... shape) {
    return put(name, weights.get(scope, name, shape));
  }

  /** One tensor in the form that the program wants it in. */
  public WeightMap tensor(
      BiFunction<NDManager, NDArray, NDArray> form, String name, long... shape) {
    return put(name, form.apply(scope, weights.get(scope, name, shape)));
  }

  /** Weight (out, in) and bias (out) of a linear layer. */
  public WeightMap linear(String name, long out, long in) {
    return linear(Joined.one(name), out, in);
  }

  /** Several of one input, one to programs: weight (n·out, in) or its parts, bias (n·out). */
  public WeightMap linear(Joined layers, long out, long in) {
    return rows(new Matrix(layers, List.of(new Cut(0, 0, out)), out, in, false));
  }

  /** The layer from the tokens to an inner width: the share's weight (own, in) and bias (own). */
  public WeightMap inward(String name, Inner inner, long in) {
    return inward(Joined.one(name), inner, in);
  }

  /** Several, too: the share's rows of each, weight (n·own, in) or its parts, bias (n·own). */
  public WeightMap inward(Joined layers, Inner inner, long in) {
    return rows(new Matrix(layers, List.of(inner.cut(share, 0)), inner.width(), in, true));
  }

  /**
   * A layer from the tokens to several inner widths, whose rows lie one below the other in one
   * matrix: the share's rows of each. One to different widths is a layer for each, {@code name.0},
   * {@code name.1} and so on, as {@link #outward} has them.
   */
  public WeightMap inward(String name, long in, Inner.Several... groups) {
    long out = Stream.of(groups).mapToLong(Inner.Several::width).sum();
    long from = 0;
    for (int i = 0; i < groups.length; i++) {
      String entry = groups.length == 1 ? name : name + "." + i;
      List<Cut> own = groups[i].rows(share, from);
      rows(new Matrix(new Joined(entry, List.of(name)), own, out, in, true));
      from += groups[i].width();
    }
    return this;
  }

  private WeightMap rows(Matrix matrix) {
    weight(matrix);
    String name = matrix.layers().name() + ".bias";
    return form.biased ? put(name, joined(matrix, ".bias", matrix.out())) : this;
  }

  private void weight(Matrix matrix) {
    String name = matrix.layers().name();
    Int8 int8 = form.plain ? null : weights.int8();
    if (int8 != null) {
      put(name, int8.read(scope, weights, matrix));
    } else if (form.plain) {
      put(name + ".weight", joined(matrix, ".weight", matrix.out(), matrix.in()));
    } else if (!put(name, InFile.layer(scope, weights, matrix))) {
      put(name, Parts.layer(scope, parts(matrix, ".weight", matrix.out(), matrix.in())));
    }
  }

  /** Rows {@code own} of a table of one layer, few of which are used: the file's, if it can be. */
  public WeightMap table(Joined layer, Cut own, long rows, long width) {
    Matrix matrix = new Matrix(layer, List.of(own), rows, width, false);
    return put(layer.name(), InFile.table(scope, weights, matrix))
        ? this
        : put(layer.name() + ".weight", joined(matrix, ".weight", rows, width));
  }

  private boolean put(String name, ReadLayer layer) {
    entries.put(name, layer);
    return !layer.tensors().isEmpty();
  }

  private NDArray joined(Matrix matrix, String kind, long... shape) {
    List<NDArray> parts = parts(matrix, kind, shape);
    return parts.size() == 1 ? parts.get(0) : Torch.concat(scope, parts, 0);
  }

  private List<NDArray> parts(Matrix matrix, String kind, long... shape) {
    List<NDArray> parts = new ArrayList<>();
    for (String name : matrix.layers().layers()) {
      for (Cut own : matrix.own()) {
        parts.add(weights.get(scope, own, name + kind, shape));
      }
    }
    return parts;
  }

  /**
   * The layer from an inner width back to the tokens: the share's columns (out, own), and the bias
   * (out) in the first share alone, as it is added once. One from several inner widths that are not
   * joined is a layer for each, {@code name.0}, {@code name.1} and so on; the first has the bias.
   * Columns that are not widened in use are copied: libtorch multiplies by a part of a wider matrix
   * with a reference kernel that is a thousand times slower.
   */
  public WeightMap outward(String name, long out, Inner... inners) {
    long in = Stream.of(inners).mapToLong(Inner::width).sum();
    long from = 0;
    for (int i = 0; i < inners.length; i++) {
      Cut columns = inners[i].cut(share, 1).shifted(from);
      String entry = inners.length == 1 ? name : name + "." + i;
      weight(new Matrix(new Joined(entry, List.of(name)), List.of(columns), out, in, false));
      if (i == 0 && form.biased && share.isFirst()) {
        put(entry + ".bias", weights.get(scope, name + ".bias", out));
      }
      from += inners[i].width();
    }
    return this;
  }

  /** Weight and bias (n) of a norm. */
  public WeightMap norm(String name, long size) {
    tensor(name + ".weight", size);
    return form.biased ? tensor(name + ".bias", size) : this;
  }

  /** Weight (n) of a norm that has no bias. */
  public WeightMap scale(String name, long size) {
    return tensor(name + ".weight", size);
  }

  /** Weight of a norm over an inner width that has no bias: the share's part of it, (1, own). */
  public WeightMap innerScales(String norm, Inner inner) {
    return innerScales(new Joined(norm, List.of(norm)), inner);
  }

  /** The same of several norms, one below the other: (the number of norms, own). */
  public WeightMap innerScales(Joined norms, Inner inner) {
    Cut own = inner.cut(share, 0);
    List<NDArray> rows = new ArrayList<>();
    for (String norm : norms.layers()) {
      NDArray part = weights.get(scope, own, norm + ".weight", inner.width());
      rows.add(Torch.view(scope, part, 1, own.length()));
    }
    return put(norms.name() + ".weight", Torch.concat(scope, rows, 0));
  }

  /** Weights of norms without biases, (their number, n); and in fp32 times √n, for GPUs. */
  public WeightMap scales(Joined norms, long size) {
    NDArray rows = joined(norms, ".weight", size);
    NDArray exact = Torch.cast(scope, rows, ElementType.FLOAT32).mul((float) Math.sqrt(1.0 * size));
    return put(norms.name() + ".weight", rows).put(norms.name() + ".weight_by_root", exact);
  }

  /** The same of norms that have biases. */
  public WeightMap norms(Joined norms, long size) {
    put(norms.name() + ".weight", joined(norms, ".weight", size));
    return put(norms.name() + ".bias", joined(norms, ".bias", size));
  }

  private NDArray joined(Joined norms, String what, long size) {
    Stream<NDArray> each = norms.layers().stream().map(n -> weights.get(scope, n + what, size));
    return Torch.concat(scope, each.map(row -> Torch.view(scope, row, 1, size)).toList(), 0);
  }

  /**
   * With what {@code change} makes of what was read, where that is on a GPU and stays there: what a
   * form costs that differs from the file's is paid once.
   */
  public WeightMap onGpu(BiConsumer<NDManager, Map<String, NDArray>> change) {
    if (weights.outline() == null && entries.onGpu()) {
      change.accept(scope, entries.tensors());
    }
    return this;
  }

  /** A convolution over patches as a linear layer on tokens: (width, p·p·c) and bias (width). */
  public WeightMap patches(String name, long width, Patch patch) {
    long p = patch.size();
    return tensor(Patchify::embeddingWeight, name + ".weight", width, patch.channels(), p, p)
        .tensor(name + ".bias", width);
  }

  /** The projection of hidden states to a patch's latents alone: (p·p·c, width), bias (p·p·c). */
  public WeightMap patchHead(String name, long width, Patch patch) {
    Patchify patchify = new Patchify(patch.size());
    long rows = (long) patch.size() * patch.size() * patch.predicted();
    BiFunction<NDManager, NDArray, NDArray> keep =
        (owner, all) -> patchify.headRows(owner, all, patch.channels());
    return tensor(keep, name + ".weight", rows, width).tensor(keep, name + ".bias", rows);
  }

  /** An embedder: the layers {@code linear_1} and {@code linear_2} of the module {@code name}. */
  public WeightMap mlp(String name, long out, long in) {
    plain().linear(name + ".linear_1", out, in).linear(name + ".linear_2", out, out);
    return this;
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
