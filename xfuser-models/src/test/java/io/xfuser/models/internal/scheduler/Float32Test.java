package io.xfuser.models.internal.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class Float32Test {
  /** Recorded from torch 2.7.1 on processors with AVX2 and AVX-512, which agree. */
  @Test
  void evenNumbersAndProductsAreTorchs() {
    float[] betas = Float32.linear(0.0001f, 0.02f, 1000);
    assertThat(new float[] {betas[0], betas[195], betas[499], betas[500], betas[999]})
        .containsExactly(0.0001f, 0x1.051eep-8f, 0x1.48fdf6p-7f, 0x1.49a50ep-7f, 0.02f);
    float[] alphas = new float[1000];
    IntStream.range(0, 1000).forEach(i -> alphas[i] = 1 - betas[i]);
    assertThat(Float32.products(alphas)[999]).isEqualTo(0x1.528cccp-15f);
    assertThat(Float32.linear(3, 5, 1)).containsExactly(3);
  }

  /** The nearest number, not a neighbour as vector kernels may give. */
  @Test
  void rootsAreTheNearestNumbers() {
    for (float x = 0.001f; x < 20; x += 0.0037f) {
      float root = Float32.sqrt(x);
      double exact = Math.sqrt((double) x);
      double error = Math.abs(root - exact);
      assertThat(error).isLessThanOrEqualTo(Math.abs(Math.nextUp(root) - exact));
      assertThat(error).isLessThanOrEqualTo(Math.abs(Math.nextDown(root) - exact));
    }
  }
}
