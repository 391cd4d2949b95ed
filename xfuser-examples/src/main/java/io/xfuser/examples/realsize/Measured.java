package io.xfuser.examples.realsize;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one run took.
 *
 * @param dtype its element type, and what was quantized
 * @param phases in their order
 * @param t5 how fast its T5 was; null where it had none
 * @param peakBytes the most anonymous memory
 */
record Measured(
    @JsonProperty("dtype") String dtype,
    @JsonProperty("phases") List<MeasuredPhase> phases,
    @JsonProperty("t5") @Nullable Rates t5,
    @JsonProperty("peak_anonymous_bytes") long peakBytes) {
  /**
   * Floating point operations per CPU second.
   *
   * @param text of the products of T5
   * @param product of one fp32 product of its size, in the same process
   */
  record Rates(
      @JsonProperty("flops_per_cpu_s") double text,
      @JsonProperty("product_flops_per_cpu_s") double product) {}
}
