package io.xfuser.nn;

import io.xfuser.failure.ArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which rank of the sequence-parallel group owns which tokens. The sequence is cut into patches
 * (contiguous, lengths differ by at most one), and every patch into shards, one per rank. A rank
 * keeps its pieces in order of patch, so that each patch is a contiguous local range too.
 */
public final class TokenLayout {
  private final int tokens;
  private final int patches;
  private final int shards;

  /**
   * A layout of {@code tokens} positions.
   *
   * @throws ArgumentException if a shard of a patch would be empty
   */
  public TokenLayout(int tokens, int patches, int shards) {
    if (patches < 1 || shards < 1 || (long) patches * shards > tokens) {
      throw new ArgumentException(
          patches
              + " patches on "
              + shards
              + " sequence-parallel ranks need at least "
              + (long) patches * shards
              + " tokens, but the picture has "
              + tokens);
    }
    this.tokens = tokens;
    this.patches = patches;
    this.shards = shards;
  }

  /** Positions in the whole sequence. */
  public int tokens() {
    return tokens;
  }

  /** Patches of the picture. */
  public int patches() {
    return patches;
  }

  /** Ranks that share the sequence. */
  public int shards() {
    return shards;
  }

  /** All patches. */
  public PatchSpan all() {
    return new PatchSpan(0, patches);
  }

  /** The positions in the whole sequence that {@code shard} owns of {@code patch}. */
  public TokenRange piece(int patch, int shard) {
    Range piece = Range.of(tokens).shard(patch, patches).shard(shard, shards);
    return new TokenRange(piece.from(), piece.to());
  }

  /** The pieces of {@link #piece} that {@code shard} owns of {@code span}, in order of patch. */
  public List<TokenRange> pieces(PatchSpan span, int shard) {
    return IntStream.range(span.from(), span.to()).mapToObj(p -> piece(p, shard)).toList();
  }

  /** How many tokens {@code shard} owns of {@code span}. */
  public int length(PatchSpan span, int shard) {
    return pieces(span, shard).stream().mapToInt(TokenRange::length).sum();
  }

  /** Where {@code span} lies within the tokens that {@code shard} owns. */
  public TokenRange local(PatchSpan span, int shard) {
    int from = span.from() == 0 ? 0 : length(new PatchSpan(0, span.from()), shard);
    return new TokenRange(from, from + length(span, shard));
  }

  /** The positions in the whole sequence of all tokens that {@code shard} owns, in its order. */
  public long[] positions(int shard) {
    return pieces(all(), shard).stream()
        .flatMapToInt(piece -> IntStream.range(piece.from(), piece.to()))
        .asLongStream()
        .toArray();
  }

  /**
   * The pieces of {@code span} owned by the given shards, in their order and then in order of
   * patch, neighbours joined: where gathered tokens belong in the whole sequence.
   */
  public List<TokenRange> gathered(PatchSpan span, List<Integer> ofShards) {
    List<TokenRange> joined = new ArrayList<>();
    for (int shard : ofShards) {
      for (TokenRange piece : pieces(span, shard)) {
        int last = joined.size() - 1;
        if (last >= 0 && joined.get(last).to() == piece.from()) {
          joined.set(last, new TokenRange(joined.get(last).from(), piece.to()));
        } else {
          joined.add(piece);
        }
      }
    }
    return joined;
  }
}
