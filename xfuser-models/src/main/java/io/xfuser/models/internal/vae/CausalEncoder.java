package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.model.VaeEncoder;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Encodes one video, four frames at a time: diffusers' AutoencoderKLWan. Rows of pixels and of
 * latents are its frames.
 *
 * @param encoder the layers
 */
record CausalEncoder(AutoencoderKlEncoder encoder) implements VaeEncoder {
  private static final int STEP = 4; // whatever the settings

  /**
   * {@inheritDoc} The pixels are the frames of one video; those that are too few for four at its
   * end are left out.
   */
  @Override
  public Optional<NDArray> encode(
      NDManager owner, NDArray pixels, DecodeOptions options, Strip strip) {
    LayeredVae config = encoder.layered();
    VideoPass pass =
        new VideoPass(
            VideoPass.Chunks.afterFirst(STEP),
            config.encoderTiling(),
            options.tiling(),
            new Splitting.Share(strip, config.scale()));
    List<Layer> all = new ArrayList<>(List.of((to, x, here) -> encoder.enter(to, x)));
    all.addAll(encoder.layers().layers());
    Sequence layers = VideoPass.watched(new Sequence(all), pass.passes(pixels), options.listener());
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      pass.run(scope, layers, pixels, part -> parts.add(Torch.alias(scope, part)));
      return parts.isEmpty() ? Optional.empty() : Optional.of(Torch.concat(owner, parts, 0));
    }
  }

  /** {@inheritDoc} In fp32, whatever the run's type. */
  @Override
  public NDArray latents(NDManager owner, NDArray encoded, @Nullable NDArray noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray exact = Torch.cast(scope, encoded, ElementType.FLOAT32);
      return encoder.latents(owner, exact, noise);
    }
  }

  @Override
  public long parameterBytes() {
    return encoder.parameterBytes();
  }

  @Override
  public void close() {
    encoder.close();
  }
}
