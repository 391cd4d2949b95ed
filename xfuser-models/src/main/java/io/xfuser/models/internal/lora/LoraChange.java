package io.xfuser.models.internal.lora;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import org.jspecify.annotations.Nullable;

/**
 * What one module of a LoRA adds to some rows of one tensor.
 *
 * @param file what it is in
 * @param module its tensors
 * @param rows which rows
 * @param scale by what the product is multiplied, alpha divided by the rank
 * @param strength what the user makes of it
 * @param bias whether the tensor is a bias
 */
record LoraChange(
    LoraFile file,
    LoraModule module,
    LoraTargets.Rows rows,
    double scale,
    double strength,
    boolean bias) {
  private static final Program PROGRAM = Program.load(LoraChange.class, "lora.py");

  /** Whether a part of the tensor is changed without the rest of it. */
  boolean divisible() {
    boolean whole = rows.module().equals(LoraShapes.WIDENED);
    return bias || !(whole || module.isKronecker() || module.isHadamard() || magnitude() != null);
  }

  private @Nullable LoraPart magnitude() {
    return module.has(LoraPart.MAGNITUDE)
        ? LoraPart.MAGNITUDE
        : module.has(LoraPart.DORA_SCALE) ? LoraPart.DORA_SCALE : null;
  }

  /**
   * {@code part} of the tensor, with the change.
   *
   * @param matrices the LoRA's, in fp32 on the device of {@code part}
   * @param part (O, …) in fp32
   * @param cut what of the tensor it is; null for all, which it must be if this is not divisible
   */
  NDArray added(NDManager owner, Weights matrices, NDArray part, @Nullable Cut cut) {
    Cut columns = cut == null || cut.dim() == 0 ? null : cut;
    Cut there = cut == null || columns != null ? new Cut(0, 0, rows.to() + rows.count()) : cut;
    long first = Math.max(there.from(), rows.to());
    long end = Math.min(there.to(), rows.to() + rows.count());
    if (end <= first) {
      return part;
    }
    long from = rows.from() + first - rows.to();
    Source source = new Source(owner, matrices, new Cut(0, from, from + end - first));
    long at = first - there.from();
    return bias ? addedToBias(source, part, at) : addedToWeight(source, part, columns, at);
  }

  private NDArray addedToBias(Source source, NDArray part, long at) {
    NDArray all = part;
    if (module.has(LoraPart.UP_BIAS)) {
      all = add(source, all, source.rows(LoraPart.UP_BIAS), at, scale * strength);
    }
    return module.has(LoraPart.DIFF_BIAS)
        ? add(source, all, source.rows(LoraPart.DIFF_BIAS), at, strength)
        : all;
  }

  private NDArray addedToWeight(Source source, NDArray part, @Nullable Cut columns, long at) {
    NDArray all = part;
    if (module.changesWeight()) {
      NDArray delta = delta(source, columns); // (n, I)
      LoraPart magnitude = magnitude();
      all =
          magnitude == null
              ? add(source, all, delta, at, scale * strength)
              : decomposed(source, all, delta, at, magnitude);
    }
    if (module.has(LoraPart.DIFF)) {
      NDArray delta = source.rows(LoraPart.DIFF);
      if (columns != null) {
        delta = Torch.slice(source.owner, delta, columns.dim(), columns.from(), columns.to());
      }
      all = add(source, all, delta, at, strength);
    }
    return all;
  }

  private NDArray add(Source source, NDArray part, NDArray delta, long at, double scale) {
    return source.call("add_rows", part, delta, at, scale);
  }

  /** As peft has it, the strength scales the product; in LyCORIS' files all that changes. */
  private NDArray decomposed(
      Source source, NDArray part, NDArray delta, long at, LoraPart magnitude) {
    boolean peft = magnitude == LoraPart.MAGNITUDE;
    NDArray norms = // (n), (n, 1) or (1, I)
        isOfColumns() ? source.all(magnitude) : source.rows(magnitude);
    return source.call(
        "decompose",
        part,
        delta,
        norms,
        at,
        peft ? scale * strength : scale,
        peft ? 1.0 : strength);
  }

  /** Whether DoRA's norms are those of columns. */
  boolean isOfColumns() {
    if (!module.has(LoraPart.DORA_SCALE)) {
      return false;
    }
    long[] shape = file.shape(module.key(LoraPart.DORA_SCALE));
    return shape.length > 1 && shape[0] == 1 && rows.count() != 1;
  }

  /** The rows (n, I) of the product, not yet scaled. */
  private NDArray delta(Source source, @Nullable Cut columns) {
    if (module.isLowRank()) {
      NDArray down =
          columns == null ? source.all(LoraPart.DOWN) : source.some(LoraPart.DOWN, columns);
      return source.call("low_rank", source.rows(LoraPart.UP), down);
    }
    NDArray whole =
        module.isKronecker()
            ? source.call(
                "kronecker",
                factor(
                    source,
                    LoraPart.KRONECKER_1,
                    LoraPart.KRONECKER_1_UP,
                    LoraPart.KRONECKER_1_DOWN),
                factor(
                    source,
                    LoraPart.KRONECKER_2,
                    LoraPart.KRONECKER_2_UP,
                    LoraPart.KRONECKER_2_DOWN))
            : source.call(
                "hadamard",
                product(source, LoraPart.HADAMARD_1_UP, LoraPart.HADAMARD_1_DOWN),
                product(source, LoraPart.HADAMARD_2_UP, LoraPart.HADAMARD_2_DOWN));
    return Torch.slice(source.owner, whole, 0, source.rows.from(), source.rows.to());
  }

  private NDArray factor(Source source, LoraPart whole, LoraPart up, LoraPart down) {
    return module.has(whole) ? source.all(whole) : product(source, up, down);
  }

  private NDArray product(Source source, LoraPart up, LoraPart down) {
    return source.call("low_rank", source.all(up), source.all(down));
  }

  /** Reads the module's tensors: all of one, or the rows that belong to those of the tensor. */
  private final class Source {
    private final NDManager owner;
    private final Weights matrices;
    private final Cut rows;

    Source(NDManager owner, Weights matrices, Cut rows) {
      this.owner = owner;
      this.matrices = matrices;
      this.rows = rows;
    }

    NDArray all(LoraPart part) {
      String key = module.key(part);
      return matrices.get(owner, key, file.shape(key));
    }

    NDArray some(LoraPart part, Cut cut) {
      String key = module.key(part);
      return matrices.get(owner, cut, key, file.shape(key));
    }

    NDArray rows(LoraPart part) {
      return some(part, rows);
    }

    NDArray call(String function, Object... arguments) {
      return PROGRAM.call(owner, function, arguments);
    }
  }
}
