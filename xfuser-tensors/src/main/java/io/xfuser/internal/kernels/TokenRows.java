package io.xfuser.internal.kernels;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Tokens of one shape, and vectors for all tokens of a batch row.
 *
 * @param tokens each (B, L, C)
 * @param vectors each (C) or (1 or B, 1, C)
 */
record TokenRows(KernelType type, List<KernelTensor> tokens, List<KernelTensor> vectors) {
  /** Those that a kernel takes; nothing if it takes them not. */
  static Optional<TokenRows> of(
      Launcher launcher, List<KernelTensor> tokens, List<KernelTensor> vectors) {
    KernelTensor[] all =
        Stream.concat(tokens.stream(), vectors.stream()).toArray(KernelTensor[]::new);
    KernelTensor x = tokens.get(0);
    return KernelType.of(all)
        .map(type -> new TokenRows(type, tokens, vectors))
        .filter(rows -> Stream.of(all).allMatch(launcher::reaches))
        .filter(rows -> x.dimensions() == 3 && x.size(2) > 0)
        .filter(rows -> tokens.stream().allMatch(y -> rows.isLike(y, x)))
        .filter(rows -> vectors.stream().allMatch(v -> rows.isVector(v, x)))
        .filter(rows -> rows.count() <= Integer.MAX_VALUE / rows.runs());
  }

  private boolean isLike(KernelTensor y, KernelTensor x) {
    return y.sizes().equals(x.sizes()) && y.isDenseFrom(2);
  }

  private boolean isVector(KernelTensor v, KernelTensor x) {
    List<Long> sizes = v.sizes();
    long width = x.size(2);
    boolean fits =
        sizes.equals(List.of(width))
            || sizes.equals(List.of(1L, 1L, width))
            || sizes.equals(List.of(x.size(0), 1L, width));
    return fits && v.isDenseFrom(v.dimensions() - 1);
  }

  /** B·L. */
  long count() {
    return tokens.get(0).size(0) * tokens.get(0).size(1);
  }

  /** What threads of one token have to do. */
  int runs() {
    return FusedKernels.divideUp(tokens.get(0).size(2), type.perRun());
  }

  /** The distance of a vector's batch rows, 0 if all share one. */
  long ofBatch(KernelTensor vector) {
    return vector.dimensions() == 1 ? 0 : vector.stride(0);
  }

  boolean isAligned() {
    return tokens.get(0).size(2) % type.perRun() == 0
        && tokens.stream().allMatch(x -> type.isAligned(x, x.stride(0)))
        && tokens.stream().allMatch(x -> type.isAligned(x, x.stride(1)))
        && vectors.stream().allMatch(v -> type.isAligned(v, ofBatch(v)));
  }
}
