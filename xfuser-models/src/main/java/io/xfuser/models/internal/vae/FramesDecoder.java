package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Strip;
import java.util.Optional;

/**
 * Decodes the frames of a request's videos one after the other, some at a time, as diffusers'
 * {@code LattePipeline} does. Strips have frames each where frames stand for themselves and are
 * enough.
 *
 * @param decoder what decodes some frames
 */
public record FramesDecoder(AutoencoderKlDecoder decoder) implements VaeDecoder {
  @Override
  public Optional<NDArray> decode(
      NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
    return decoder.decodeFrames(owner, latents, options, strip);
  }

  @Override
  public int chunk(DecodeOptions options) {
    return decoder.temporal() ? options.chunk() : 1;
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
