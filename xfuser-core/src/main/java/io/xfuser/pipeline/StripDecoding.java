package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import io.xfuser.parallel.Communicator;
import java.util.List;

/**
 * Decodes latents that one rank has, alone or with other ranks.
 *
 * @param decoder on every rank
 * @param options the same on every rank
 * @param ranks the first has the latents and gets the pixels
 */
record StripDecoding(VaeDecoder decoder, VaeDecoder.DecodeOptions options, Communicator ranks) {
  /** On the first rank: the pixels (B·F, 3, H, W) of latents (B·F, c, h, w). */
  NDArray lead(NDManager owner, NDArray latents) {
    if (ranks.size() == 1) {
      return decoder.decode(owner, latents, options);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = ranks.broadcast(scope, List.of(latents), 0).get(0); // (B·F, c, h, w)
      return decoder.decode(owner, all, options, strip()).orElseThrow();
    }
  }

  /** On the other ranks: takes part in what the first rank leads. */
  void follow(NDManager owner) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray latents = ranks.broadcast(scope, List.of(), 0).get(0); // (B·F, c, h, w)
      decoder.decode(scope, latents, options, strip());
    }
  }

  private Strip strip() {
    return new RankStrip(ranks);
  }
}
