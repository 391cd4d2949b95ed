package io.xfuser.nn;

import io.xfuser.failure.ArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which rank of the sequence-parallel group owns which tokens. Each segment of the sequence is cut
 * into patches (contiguous, lengths differ by at most one), and every patch into shards, one per
 * rank; so every rank has its part of every segment. A rank keeps its pieces in order of patch, of
 * one patch in order of segment, so that each patch is a contiguous local range too.
 */
public final class TokenLayout {
  private final List<Integer> segments; // their lengths
  private final int patches;
  private final int shards;

  /**
   * A layout of {@code sequence}.
   *
   * @throws ArgumentException if a shard of a patch would have nothing to denoise
   */
  public TokenLayout(Sequence sequence, int patches, int shards) {
    this(sequence.segments().stream().map(Sequence.Axes::tokens).toList(), patches, shards);
    if (patches < 1 || shards < 1 || (long) patches * shards > segments.get(0)) {
      throw new ArgumentException(
          patches
              + " patches on "
              + shards
              + " sequence-parallel ranks need at least "
              + (long) patches * shards
              + " tokens, but the picture has "
              + segments.get(0));
    }
  }

  private TokenLayout(List<Integer> segments, int patches, int shards) {
    this.segments = segments;
    this.patches = patches;
    this.shards = shards;
  }

  /** The layout of one segment alone, whose shards may be empty but for those of the first. */
  public TokenLayout segment(int index) {
    return new TokenLayout(segments.subList(index, index + 1), patches, shards);
  }

  /** Positions in the whole sequence. */
  public int tokens() {
    return segments.stream().mapToInt(Integer::intValue).sum();
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

  /** The positions in the whole sequence that {@code shard} owns of {@code patch}, by segment. */
  private List<TokenRange> pieces(int patch, int shard) {
    List<TokenRange> pieces = new ArrayList<>();
    int start = 0;
    for (int length : segments) {
      Range own = Range.of(length).shard(patch, patches).shard(shard, shards);
      pieces.add(new TokenRange(start + own.from(), start + own.to()));
      start += length;
    }
    return pieces;
  }

  private int length(int patch, int shard) {
    return pieces(patch, shard).stream().mapToInt(TokenRange::length).sum();
  }

  /** How many tokens {@code shard} owns of {@code span}. */
  public int length(PatchSpan span, int shard) {
    return IntStream.range(span.from(), span.to()).map(patch -> length(patch, shard)).sum();
  }

  /** Where {@code span} lies within the tokens that {@code shard} owns. */
  public TokenRange local(PatchSpan span, int shard) {
    int from = span.from() == 0 ? 0 : length(new PatchSpan(0, span.from()), shard);
    return new TokenRange(from, from + length(span, shard));
  }

  /** The positions in the whole sequence of all tokens that {@code shard} owns, in its order. */
  public long[] positions(int shard) {
    return IntStream.range(0, patches)
        .mapToObj(patch -> pieces(patch, shard))
        .flatMap(List::stream)
        .flatMapToInt(piece -> IntStream.range(piece.from(), piece.to()))
        .asLongStream()
        .toArray();
  }

  /**
   * The places of the tokens of {@code span} that the given shards own, in their order and then in
   * order of patch, neighbours joined. Places are counted over the patches, of each over its
   * shards, of each over its pieces: those of a sequence of one segment are its positions.
   */
  public List<TokenRange> gathered(PatchSpan span, List<Integer> ofShards) {
    List<TokenRange> joined = new ArrayList<>();
    for (int shard : ofShards) {
      for (int patch = span.from(); patch < span.to(); patch++) {
        TokenRange place = place(patch, shard);
        int last = joined.size() - 1;
        if (last >= 0 && joined.get(last).to() == place.from()) {
          joined.set(last, new TokenRange(joined.get(last).from(), place.to()));
        } else {
          joined.add(place);
        }
      }
    }
    return joined;
  }

  private TokenRange place(int patch, int shard) {
    int from = 0;
    for (int before = 0; before < patch; before++) {
      from += patchLength(before);
    }
    for (int before = 0; before < shard; before++) {
      from += length(patch, before);
    }
    return new TokenRange(from, from + length(patch, shard));
  }

  private int patchLength(int patch) {
    return segments.stream()
        .mapToInt(length -> Range.of(length).shard(patch, patches).length())
        .sum();
  }

  /**
   * Consecutive patches that a rank computes together: all that it has in a synchronous step, one
   * in a step of PipeFusion.
   *
   * @param from the first patch
   * @param to one past the last patch
   */
  public record PatchSpan(int from, int to) {
    /** Checks that there is at least one patch. */
    public PatchSpan {
      if (from < 0 || to <= from) {
        throw new IllegalArgumentException("no span of patches from " + from + " to " + to);
      }
    }

    /** Patch {@code patch} alone. */
    public static PatchSpan of(int patch) {
      return new PatchSpan(patch, patch + 1);
    }
  }

  /**
   * Which of the text tokens that are attended with an image's are here. The ranks that have the
   * first patch's tokens share them out as they do these: contiguous shares, in order of shard,
   * whose lengths differ by at most one, so that some are empty where there are more ranks than
   * tokens.
   *
   * @param all the tokens that are shared out; 0 where text takes no part
   * @param skipped how many of them, from the first, take no part in an attention
   * @param share this rank's
   * @param shares how many there are
   */
  public record TextTokens(int all, int skipped, int share, int shares) {
    /** No text. */
    public static final TextTokens NONE = new TextTokens(0, 0, 0, 1);

    /** Checks that they are some. */
    public TextTokens {
      if (skipped < 0 || skipped > all || share < 0 || share >= shares) {
        throw new IllegalArgumentException(
            "no share %d of %d of %d text tokens without %d"
                .formatted(share, shares, all, skipped));
      }
    }

    /** All {@code tokens} are here. */
    public static TextTokens whole(long tokens) {
      return new TextTokens(Math.toIntExact(tokens), 0, 0, 1);
    }

    /** The same in an attention that leaves the first {@code tokens} alone. */
    public TextTokens without(int tokens) {
      return new TextTokens(all, tokens, share, shares);
    }

    /** T, the tokens of all shares that take part. */
    public int total() {
      return all - skipped;
    }

    /** The tokens that are here, counted from the first that takes part. */
    public TokenRange own() {
      return of(share);
    }

    /** Those of another share. */
    public TokenRange of(int other) {
      if (all == 0) {
        return new TokenRange(0, 0);
      }
      if (other < 0 || other >= shares) {
        throw new IllegalArgumentException("no share " + other + " of text in " + shares);
      }
      Range shared = Range.of(all).shard(other, shares);
      return new TokenRange(
          Math.max(0, shared.from() - skipped), Math.max(0, shared.to() - skipped));
    }

    /** How many of the tokens here, from the first, take no part. */
    public int skippedHere() {
      return Range.of(all).shard(share, shares).length() - own().length();
    }

    /**
     * What is here once each of {@code ranks} consecutive shares, beginning with a multiple of
     * that, has those of the others too.
     */
    public TextTokens together(int ranks) {
      return all == 0 ? this : new TextTokens(all, skipped, share / ranks, shares / ranks);
    }
  }
}
