package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Noise of every seed that torch takes is torch's. */
class SeedTest {
  /** {@code torch.randn(3, generator=torch.Generator("cpu").manual_seed(seed))}, torch 2.7.1. */
  @ParameterizedTest
  @CsvSource({
    "-1, 1.2197630405426025, -0.3929794728755951, 1.0230751037597656",
    "-9223372036854775808, 1.5409960746765137, -0.293428897857666, -2.1787893772125244",
    "9223372036854775807, 1.2197630405426025, -0.3929794728755951, 1.0230751037597656",
    "9223372036854775808, 1.5409960746765137, -0.293428897857666, -2.1787893772125244",
    "18446744073709551615, 1.2197630405426025, -0.3929794728755951, 1.0230751037597656",
    "4294967301, -0.4867807626724243, -0.6038215756416321, -0.5580962300300598"
  })
  void noiseOfASeedIsThatOfTorch(String seed, float first, float second, float third) {
    long bits = seed.startsWith("-") ? Long.parseLong(seed) : Long.parseUnsignedLong(seed);
    try (NDManager manager = Torch.newManager()) {
      NDArray noise =
          Guidance.Arithmetic.PROGRAM
              .callList(
                  manager,
                  "draw",
                  new long[] {3},
                  6,
                  bits,
                  false,
                  new long[] {0, 0},
                  new long[0],
                  6)
              .singletonOrThrow();
      assertThat(noise.toFloatArray())
          .containsExactly(new float[] {first, second, third}, within(1e-6f));
    }
  }
}
