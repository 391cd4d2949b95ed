package io.xfuser.models.contract;

import java.util.List;
import java.util.stream.Collectors;

/** What {@code docs/parity.md} says around its numbers. */
final class ParityPage {
  private ParityPage() {}

  /** Refuses names that are not among {@code known}. */
  static void requireKnown(List<String> named, List<String> known) {
    for (String name : named) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            "there is no pipeline %s, only %s".formatted(name, String.join(" ", known)));
      }
    }
  }

  /** The page, with a column for each of {@code titles}. */
  static String text(List<String> titles, List<String> rows) {
    String rule = titles.stream().map(title -> "---").collect(Collectors.joining("|", "|", "|"));
    return """
    # Parity
    Written by `scripts/parity`. Largest absolute differences of pixels between 0 and 1, in fp32, on tiny pipelines with random weights
    whose blocks, heads and tokens do not divide evenly; random weights magnify differences more than trained ones do.

    - **diffusers**: our serial picture from that of diffusers, over all recorded calls. Law: at most 1e-3.
    - **CFG** to **stages, M = 1**: from our serial picture. Law: at most 1e-4. So too where those three stages share the decoding, or the text encoder.
    - **M = 3**: PipeFusion with three patches and one warm-up step, from the same patches on one rank. Law: at most 1e-5 for stages alone,
      1e-4 for hybrids.
    - **M = 3 itself**: what stale keys and values change: those patches on one rank, from our serial picture. No law; with three steps it
      is large.
    - **DistriFusion 3**: three patches and one warm-up step, from the same patches on one rank. Law: at most 1e-5 for DistriFusion alone,
      1e-4 for hybrids.
    - **DistriFusion itself**: those patches on one rank, from our serial picture. No law.

    – : the request has only one picture, or no guidance, or the model no text encoder that can be shared. The tests hold more layouts to these laws, up to 8 ranks: `ParallelContract`.

    | %s |
    %s
    %s
    """
        .formatted(String.join(" | ", titles), rule, String.join("\n", rows));
  }
}
