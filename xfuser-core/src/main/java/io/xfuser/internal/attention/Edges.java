package io.xfuser.internal.attention;

import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import java.util.ArrayList;
import java.util.List;

/**
 * Whose tokens lie beside those of a rank, in a sequence of one segment.
 *
 * @param layout who owns which tokens
 * @param reach how many places a token looks to either side
 */
record Edges(TokenLayout layout, int reach) {
  /**
   * Tokens that one shard owns of one patch.
   *
   * @param within where they lie in that, counted from its first token
   */
  record Piece(int patch, int shard, TokenRange within) {}

  /**
   * Consecutive tokens of one shard, with what lies before and after them, in order of position.
   *
   * @param own their positions
   */
  record Run(TokenRange own, List<Piece> before, List<Piece> after) {
    /** Those of both sides. */
    List<Piece> all() {
      List<Piece> all = new ArrayList<>(before);
      all.addAll(after);
      return all;
    }

    /** The position of the first token that lies before, or of the first of its own. */
    int first() {
      return own.from() - before.stream().mapToInt(piece -> piece.within().length()).sum();
    }
  }

  /**
   * The runs of {@code shard} in {@code span}; of the patches from {@code known} on nobody knows.
   */
  List<Run> runs(PatchSpan span, int shard, int known) {
    List<Run> runs = new ArrayList<>();
    for (TokenRange own : layout.gathered(span, List.of(shard))) {
      TokenRange before = new TokenRange(Math.max(0, own.from() - reach), own.from());
      TokenRange after = new TokenRange(own.to(), Math.min(layout.tokens(), own.to() + reach));
      runs.add(new Run(own, pieces(before, known), pieces(after, known)));
    }
    return runs;
  }

  /** The pieces that {@code range} consists of. */
  private List<Piece> pieces(TokenRange range, int known) {
    List<Piece> pieces = new ArrayList<>();
    for (int patch = 0; patch < known; patch++) {
      for (int shard = 0; shard < layout.shards(); shard++) {
        TokenRange all = place(patch, shard);
        int from = Math.max(all.from(), range.from());
        int to = Math.min(all.to(), range.to());
        if (from < to) {
          TokenRange within = new TokenRange(from - all.from(), to - all.from());
          pieces.add(new Piece(patch, shard, within));
        }
      }
    }
    return pieces;
  }

  private TokenRange place(int patch, int shard) {
    return layout.gathered(PatchSpan.of(patch), List.of(shard)).get(0);
  }

  /** How many tokens {@code shard} owns of {@code patch}. */
  int length(int patch, int shard) {
    return layout.length(PatchSpan.of(patch), shard);
  }
}
