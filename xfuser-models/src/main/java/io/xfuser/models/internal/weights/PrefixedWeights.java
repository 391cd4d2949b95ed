package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The tensors of {@code all} whose names begin with {@code prefix}. */
record PrefixedWeights(Weights all, String prefix) implements Weights {
  @Override
  public Weights at(String more) {
    return new PrefixedWeights(all, prefix + more);
  }

  @Override
  public boolean has(String name) {
    return all.has(prefix + name);
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    return all.get(owner, prefix + name, shape);
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    return all.get(owner, cut, prefix + name, shape);
  }

  @Override
  public Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    return all.inFile(owner, cut, prefix + name, shape);
  }

  @Override
  public boolean keepsTypes() {
    return all.keepsTypes();
  }

  @Override
  public @Nullable Int8 int8() {
    return all.int8();
  }

  @Override
  public @Nullable Weights outline() {
    Weights outline = all.outline();
    return outline == null ? null : new PrefixedWeights(outline, prefix);
  }

  /** What others than these names are used for is not known here. */
  @Override
  public void expect(Predicate<String> used) {
    all.expect(name -> !name.startsWith(prefix) || used.test(name.substring(prefix.length())));
  }
}
