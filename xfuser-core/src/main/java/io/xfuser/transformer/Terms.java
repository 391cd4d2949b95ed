package io.xfuser.transformer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.weights.Share;

/**
 * Functions that add several terms to the tokens: what attention gives, then what the MLP gives.
 * Each term needs the tokens with all terms before it, so where a block is computed in {@link
 * Share}s they are added one by one, and the tokens are summed over the shares after each. A whole
 * block adds them all in one call.
 *
 * <p>The tokens are a function's first argument, which it must not write to. Its last one, which is
 * put there here, is the list [first, end, tokens]: it adds the terms from first to end
 * (exclusive); where tokens is 0 it leaves the tokens themselves out of its result, because another
 * share adds them. The prelude has functions for that.
 *
 * @param context sums over the shares
 * @param count the number of terms
 * @param program has the functions
 */
public record Terms(BlockContext context, int count, Program program) {
  /** The tokens {@code x} (B, l, C) after all terms. */
  public NDArray call(NDManager owner, String function, NDArray x, Object... more) {
    Adding adding =
        (to, xs, terms) ->
            new NDList(program.call(to, function, arguments(xs.get(0), more, terms)));
    return add(owner, new NDList(x), adding).get(0);
  }

  /** The same for tokens of several streams. */
  public NDList callList(NDManager owner, String function, NDList xs, Object... more) {
    return add(
        owner, xs, (to, x, terms) -> program.callList(to, function, arguments(x, more, terms)));
  }

  private interface Adding {
    NDList add(NDManager owner, NDList xs, long[] terms);
  }

  private static Object[] arguments(Object x, Object[] more, long[] terms) {
    Object[] all = new Object[more.length + 2];
    all[0] = x;
    System.arraycopy(more, 0, all, 1, more.length);
    all[more.length + 1] = terms;
    return all;
  }

  private NDList add(NDManager owner, NDList xs, Adding adding) {
    Share share = context.share();
    if (share.isWhole()) {
      return adding.add(owner, xs, new long[] {0, count, 1});
    }
    NDManager previous = owner.newSubManager();
    NDList whole = xs;
    for (int term = 0; term < count; term++) {
      NDManager next = term == count - 1 ? owner : owner.newSubManager();
      try (NDManager scope = owner.newSubManager()) {
        long[] one = {term, term + 1, share.isFirst() ? 1 : 0};
        NDList sums = new NDList();
        for (NDArray addend : adding.add(scope, whole, one)) {
          sums.add(context.sum().of(next, addend));
        }
        whole = sums;
      }
      previous.close();
      previous = next;
    }
    return whole;
  }
}
