package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Tokens of ranks, each of which has some of the text and some of the image; dimension 1 of tensors
 * is the tokens.
 *
 * @param text that of this rank; the others of the group have the shares around it
 * @param rank this rank's place in the group
 * @param size ranks of the group
 */
record SharedText(TextTokens text, int rank, int size) {
  SharedText(TextTokens text, Communicator ranks) {
    this(text, ranks.rank(), ranks.size());
  }

  /** What all of them have together. */
  TextTokens together() {
    return text.together(size);
  }

  /** Text tokens of rank {@code other} of the group. */
  private long of(int other) {
    return text.of(text.share() - rank + other).length();
  }

  /** Tokens (B, t + l, …) of each rank, all text first: (B, T + l of all, …). */
  NDArray first(NDManager owner, List<NDArray> ofRanks) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> texts = new ArrayList<>();
      List<NDArray> images = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        NDArray both = ofRanks.get(i);
        long here = of(i);
        if (here > 0) {
          texts.add(Torch.slice(scope, both, 1, 0, here));
        }
        images.add(Torch.slice(scope, both, 1, here, both.getShape().get(1)));
      }
      texts.addAll(images);
      return Torch.concat(owner, texts, 1);
    }
  }

  /** How many tokens (t + l) each rank has, of which {@code image} are the image's. */
  List<Long> lengths(List<Long> image) {
    return IntStream.range(0, size).mapToObj(i -> of(i) + image.get(i)).toList();
  }

  /** The parts of {@code joined}, tokens of some of the ranks one after another, by rank. */
  static List<NDArray> cut(NDManager owner, List<NDArray> joined, List<Long> lengths) {
    List<NDArray> parts = new ArrayList<>();
    for (NDArray some : joined) {
      long from = 0;
      while (from < some.getShape().get(1)) {
        long to = from + lengths.get(parts.size());
        parts.add(Torch.slice(owner, some, 1, from, to));
        from = to;
      }
    }
    return parts;
  }

  /** Tokens (B, T + l of all, …), all text first, rank by rank: text and image of each. */
  NDArray byRank(NDManager owner, NDArray x, List<Long> image) {
    if (text.total() == 0) {
      return Torch.alias(owner, x);
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      long ofText = 0;
      long ofImage = together().own().length();
      for (int i = 0; i < size; i++) {
        parts.add(Torch.slice(scope, x, 1, ofText, ofText + of(i)));
        parts.add(Torch.slice(scope, x, 1, ofImage, ofImage + image.get(i)));
        ofText += of(i);
        ofImage += image.get(i);
      }
      return Torch.concat(owner, parts, 1);
    }
  }
}
