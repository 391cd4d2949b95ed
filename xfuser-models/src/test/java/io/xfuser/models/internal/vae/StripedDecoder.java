package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.runtime.RankStrip;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.nn.Strip;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** A decoder whose strips are threads of the test. */
record StripedDecoder(VaeDecoder decoder, DecodeOptions options, UnaryOperator<Strip> watch) {
  /**
   * What one strip brought back.
   *
   * @param pixels all of them on the first strip, none elsewhere
   * @param sentBytes what it sent
   */
  record Outcome(FloatBuffer pixels, long sentBytes) {}

  static StripedDecoder of(VaeDecoder decoder, DecodeOptions options) {
    return new StripedDecoder(decoder, options, strip -> strip);
  }

  /** What all strips of {@code latents} brought back, in their order. */
  List<Outcome> decode(int strips, Latents latents) throws Exception {
    return decode(TestRanks.IN_PROCESS, strips, latents);
  }

  /** The same by ranks that exchange tensors in their own way. */
  List<Outcome> decode(TestRanks ranks, int strips, Latents latents) throws Exception {
    return ranks.run(
        strips,
        world -> {
          List<Integer> all = IntStream.range(0, strips).boxed().toList();
          Strip strip = watch.apply(new RankStrip(world.group(Channel.VAE, all)));
          try (NDManager manager = Torch.newManager()) {
            float[] pixels =
                decoder
                    .decode(manager, latents.on(manager), options, strip)
                    .map(Pixels::floats)
                    .orElse(new float[0]);
            return new Outcome(FloatBuffer.wrap(pixels), world.counter().sent(Channel.VAE));
          }
        });
  }

  /** What one strip brings back that has all rows. */
  float[] decodeAlone(Latents latents) {
    try (NDManager manager = Torch.newManager()) {
      Strip whole = watch.apply(Strip.whole());
      return Pixels.floats(
          decoder.decode(manager, latents.on(manager), options, whole).orElseThrow());
    }
  }

  /**
   * Latents (B, c, h, w) that grow from the first row to the last by 12 standard deviations, so
   * that no strip has the statistics of the whole.
   */
  record Latents(int batch, int channels, int height, int width) {
    NDArray on(NDManager manager) {
      float[] values = new float[batch * channels * height * width];
      for (int i = 0; i < values.length; i++) {
        int row = i / width % height;
        values[i] = (float) (Math.sin(i * 12.9898) * 1.5 + 12.0 * row / height - 4);
      }
      try (NDManager scope = manager.newSubManager()) {
        return Torch.copy(manager, scope.create(values, new Shape(batch, channels, height, width)));
      }
    }
  }
}
