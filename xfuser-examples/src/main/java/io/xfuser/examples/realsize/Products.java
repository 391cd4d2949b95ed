package io.xfuser.examples.realsize;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.Map;

/**
 * The matrix products of a T5 encoder.
 *
 * @param config its {@code config.json}
 * @param tokens T of each prompt
 */
record Products(JsonNode config, long tokens) {
  private static final Program PROGRAM = Program.load(Products.class, "product.py");
  private static final long ENOUGH_NANOS = 2_000_000_000L;

  /** Floating point operations for one prompt. */
  double operations() {
    double width = size("d_model");
    double heads = size("num_heads") * size("d_kv");
    double perToken = 4 * width * heads + 3 * width * size("d_ff") + 2 * tokens * heads;
    return 2 * size("num_layers") * tokens * perToken;
  }

  private double size(String name) {
    return config.get(name).asDouble();
  }

  /**
   * Operations per CPU second of its largest product in fp32, whichever of libtorch's two kernels
   * is faster.
   */
  double rate(int threads, Meter meter) {
    Torch.prepareThread(threads);
    try (NDManager manager = Torch.newManager()) {
      NDArray x = factor(manager, tokens, (long) size("d_model"));
      NDArray weight = factor(manager, (long) size("d_ff"), (long) size("d_model"));
      NDArray bias = Torch.flat(manager, factor(manager, 1, (long) size("d_ff")));
      double fused = rate(meter, manager, x, Map.of("wi.weight", weight, "wi.bias", bias));
      return Math.max(fused, rate(meter, manager, x, Map.of("wi.weight", weight)));
    }
  }

  private double rate(Meter meter, NDManager manager, NDArray x, Map<String, NDArray> weights) {
    PROGRAM.call(manager, "taken", x, weights).close();
    long start = System.nanoTime();
    long products = 0;
    while (System.nanoTime() - start < ENOUGH_NANOS) {
      PROGRAM.call(manager, "taken", x, weights).close();
      products++;
    }
    double cpuSeconds = meter.between(start, System.nanoTime()).cpuSeconds();
    return products * 2 * tokens * size("d_model") * size("d_ff") / cpuSeconds;
  }

  private static NDArray factor(NDManager manager, long rows, long columns) {
    return PROGRAM.call(manager, "factor", rows, columns);
  }
}
