package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.runtime.RankStrip;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Memory for a picture of 4096 rows. What is counted grows with columns and with channels, so two
 * columns of latents and an eighth of Stable Diffusion's channels (128, 256, 512, 512) show in
 * which parts a whole picture is held.
 */
class LargePictureTest {
  private static final int ROWS = 512; // of latents
  private static final AutoencoderKlConfig EIGHTH =
      new AutoencoderKlConfig(
          "an eighth",
          4,
          3,
          List.of(16, 32, 64, 64),
          2,
          4,
          1024,
          1,
          0,
          true,
          true,
          false,
          List.of());

  /** Any tensor that is asked for, of zeros: as much memory as any other. */
  private record Zeros(NDManager manager) implements Weights {
    @Override
    public Weights at(String prefix) {
      return this;
    }

    @Override
    public boolean has(String name) {
      return true;
    }

    @Override
    public NDArray get(NDManager owner, String name, long... shape) {
      try (NDManager scope = owner.newSubManager()) {
        return Torch.copy(owner, scope.zeros(new Shape(shape)));
      }
    }

    @Override
    public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
      throw new UnsupportedOperationException("decoders are not cut");
    }
  }

  @Test
  void ofFourRanksEachHoldsAQuarterOfTheSerialPeak() throws Exception {
    AtomicLong alone = new AtomicLong();
    AtomicLong shared = new AtomicLong();
    Torch.prepareThread(1);
    try (NDManager weights = Torch.newManager()) {
      Sequence layers = DecoderLayers.read(weights, EIGHTH, new Zeros(weights));
      decode(layers, new MeasuredStrip(Strip.whole(), alone), ROWS);
      TestRanks.IN_PROCESS.run(
          4,
          world -> {
            Strip strip = new RankStrip(world.group(Channel.VAE, List.of(0, 1, 2, 3)));
            decode(layers, new MeasuredStrip(strip, shared), ROWS / 4);
            return strip;
          });
    }
    // at least the last level's input and output: 16 channels of 4096 × 16 pixels
    assertThat(alone.get()).isGreaterThan(2L * 4 * 16 * 4096 * 16);
    assertThat(shared.get() / (double) alone.get()).isLessThanOrEqualTo(1.1 / 4);
  }

  private static void decode(Sequence layers, Strip strip, int rows) {
    try (NDManager manager = Torch.newManager()) {
      NDArray latents; // (1, 4, rows, 2)
      try (NDManager scope = manager.newSubManager()) {
        latents = Torch.copy(manager, scope.ones(new Shape(1, 4, rows, 2)));
      }
      layers.forward(manager, latents, strip);
    }
  }
}
