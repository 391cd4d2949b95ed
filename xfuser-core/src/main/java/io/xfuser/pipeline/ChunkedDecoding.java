package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;
import io.xfuser.parallel.Communicator;
import io.xfuser.torchscript.Torch;

/**
 * Decodes the rows of one data-parallel rank. Rows that a decoder takes together may belong to
 * several ranks, because its chunks are counted from the first row of the whole request: then the
 * ranks show one another their latents, and each decodes the chunks that its rows lie in.
 *
 * @param decoding of the rows that one rank has
 * @param ranks those that have the latents, in order of their pictures
 * @param request what all of them decode
 * @param images this rank's pictures
 */
record ChunkedDecoding(
    StripDecoding decoding, Communicator ranks, GenerationRequest request, TokenRange images) {
  /** The pixels (B·F, 3, H, W) of this rank's latents (B·F, c, h, w). */
  NDArray decode(NDManager owner, NDArray latents) {
    int chunk = decoding.decoder().chunk();
    if (!chunksAreShared(chunk)) {
      return decoding.lead(owner, latents);
    }
    int frames = request.latents().frames();
    int total = request.images() * frames;
    TokenRange own = new TokenRange(images.from() * frames, images.to() * frames);
    int from = own.from() / chunk * chunk;
    int to = Math.min(total, (own.to() + chunk - 1) / chunk * chunk);
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = ranks.allGather(scope, latents, 0); // (all B·F, c, h, w)
      NDArray chunks = Torch.slice(scope, all, 0, from, to);
      NDArray pixels = decoding.lead(scope, chunks);
      return Torch.slice(owner, pixels, 0, own.from() - from, own.to() - from);
    }
  }

  /** Whether some rank's rows end within a chunk. */
  private boolean chunksAreShared(int chunk) {
    int frames = request.latents().frames();
    TokenRange all = new TokenRange(0, request.images());
    for (int rank = 0; rank < ranks.size() - 1; rank++) {
      if (all.shard(rank, ranks.size()).to() * frames % chunk != 0) {
        return true;
      }
    }
    return false;
  }
}
