package io.xfuser.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What a generation took, as {@code --report} writes it.
 *
 * @param worldSize ranks
 * @param degrees the degree of each kind of parallelism
 * @param dtype the element type
 * @param loadSeconds loading weights, on the rank that tells it ({@code --report}: rank 0)
 * @param textEncodeSeconds encoding the prompts, the slowest rank
 * @param denoiseSeconds the denoising loop, the slowest rank
 * @param stepSeconds each step, on rank 0
 * @param vaeSeconds decoding, the slowest rank
 * @param totalSeconds all of it, on the rank that tells it
 * @param ranks each rank's figures
 */
public record RunReport(
    @JsonProperty("world_size") int worldSize,
    @JsonProperty("degrees") Map<String, Integer> degrees,
    @JsonProperty("dtype") String dtype,
    @JsonProperty("load_s") double loadSeconds,
    @JsonProperty("text_encode_s") double textEncodeSeconds,
    @JsonProperty("denoise_s") double denoiseSeconds,
    @JsonProperty("step_s") List<Double> stepSeconds,
    @JsonProperty("vae_s") double vaeSeconds,
    @JsonProperty("total_s") double totalSeconds,
    @JsonProperty("ranks") List<RankReport> ranks) {

  /** The largest of all ranks' values. */
  public static double slowest(List<RankReport> ranks, ToDoubleFunction<RankReport> seconds) {
    return ranks.stream().mapToDouble(seconds).max().orElse(0);
  }

  /** As indented JSON. */
  public String toJson() {
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a report that is no JSON: " + e.getMessage(), e);
    }
  }
}
