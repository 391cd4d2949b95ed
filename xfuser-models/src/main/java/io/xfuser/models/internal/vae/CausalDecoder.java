package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Decodes videos, of whose latents some frames at a time pass, so that what is held does not depend
 * on how many there are.
 *
 * @param decoder the layers
 */
record CausalDecoder(AutoencoderKlDecoder decoder) implements VaeDecoder {
  @Override
  public Optional<NDArray> decode(
      NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      decode(scope, latents, options, strip, part -> parts.add(Torch.alias(scope, part)));
      return parts.isEmpty() ? Optional.empty() : Optional.of(Torch.concat(owner, parts, 0));
    }
  }

  @Override
  public void decode(
      NDManager owner,
      NDArray latents,
      DecodeOptions options,
      Strip strip,
      Consumer<NDArray> pixels) {
    LayeredVae config = decoder.layered();
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = decoder.enter(scope, latents, options); // (B·F, c, h, w)
      int frames = options.frames();
      int videos = Math.toIntExact(all.getShape().get(0) / frames);
      VideoPass pass =
          new VideoPass(
              config.chunks(), config.tiling(), options.tiling(), new Splitting.Share(strip, 1));
      NDArray one = Torch.slice(scope, all, 0, 0, frames); // (F, c, h, w)
      Sequence layers =
          VideoPass.watched(decoder.layers(), videos * pass.passes(one), options.listener());
      for (int i = 0; i < videos; i++) {
        NDArray video = Torch.slice(scope, all, 0, (long) i * frames, (i + 1L) * frames);
        pass.run(
            scope,
            layers,
            video,
            part -> pixels.accept(config.finished(part.getManager(), part))); // (F', 3, H, W)
      }
    }
  }

  /** All frames of a video depend on those before them. */
  @Override
  public int chunk(DecodeOptions options) {
    return options.frames();
  }

  @Override
  public long parameterBytes() {
    return decoder.parameterBytes();
  }

  @Override
  public void close() {
    decoder.close();
  }
}
