package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;

/**
 * The segments of a sequence on one rank: what is denoised goes through the transformer beside what
 * it refers to, patch by patch, and comes out alone.
 *
 * @param layout of all segments
 * @param shard this rank's place in it
 * @param references tokens (B, r, c) that this rank owns of each segment but the first, the same in
 *     every step
 */
record Segments(TokenLayout layout, int shard, List<NDArray> references) {
  /** The tokens of {@code span} in all segments, (B, l, c), for those that are denoised. */
  NDArray joined(NDManager owner, NDArray denoised, PatchSpan span) {
    if (references.isEmpty()) {
      return Torch.alias(owner, denoised);
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      int done = 0;
      for (int patch = span.from(); patch < span.to(); patch++) {
        int length = own(0, patch).length();
        parts.add(Torch.slice(scope, denoised, 1, done, done + length));
        done += length;
        for (int i = 0; i < references.size(); i++) {
          TokenRange local = own(i + 1, patch);
          parts.add(Torch.slice(scope, references.get(i), 1, local.from(), local.to()));
        }
      }
      return Torch.concat(owner, parts, 1);
    }
  }

  /** Of what belongs to tokens of {@code span} in all segments, (B, l, c), what is denoised. */
  NDArray denoised(NDManager owner, NDArray tokens, PatchSpan span) {
    if (references.isEmpty()) {
      return Torch.alias(owner, tokens);
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      int from = layout.local(span, shard).from();
      for (int patch = span.from(); patch < span.to(); patch++) {
        int start = layout.local(PatchSpan.of(patch), shard).from() - from;
        parts.add(Torch.slice(scope, tokens, 1, start, start + own(0, patch).length()));
      }
      return Torch.concat(owner, parts, 1);
    }
  }

  /** Where {@code patch} lies within this rank's tokens of a segment. */
  private TokenRange own(int segment, int patch) {
    return layout.segment(segment).local(PatchSpan.of(patch), shard);
  }
}
