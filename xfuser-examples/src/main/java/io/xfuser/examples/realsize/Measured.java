package io.xfuser.examples.realsize;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What one run took.
 *
 * @param dtype its element type
 * @param phases in their order
 * @param textRate floating point operations of the text encoder's products, per CPU second
 * @param productRate those of one fp32 product of its size, in the same process
 * @param peakBytes the most anonymous memory
 */
record Measured(
    @JsonProperty("dtype") String dtype,
    @JsonProperty("phases") List<MeasuredPhase> phases,
    @JsonProperty("text_flops_per_cpu_s") double textRate,
    @JsonProperty("product_flops_per_cpu_s") double productRate,
    @JsonProperty("peak_anonymous_bytes") long peakBytes) {}
