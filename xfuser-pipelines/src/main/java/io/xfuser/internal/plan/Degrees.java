package io.xfuser.internal.plan;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.transformer.TransformerSpec;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Refuses degrees for which a model or a request has too little, by the settings' names. */
final class Degrees {
  private Degrees() {}

  static void check(ParallelConfig degrees, TransformerSpec<?> spec, GenerationRequest request) {
    atMost(degrees, ParallelConfig.PIPEFUSION_PARALLEL_DEGREE, spec.depth(), "transformer blocks");
    atMost(degrees, ParallelConfig.TENSOR_PARALLEL_DEGREE, spec.heads(), "attention heads");
    int tensor = degrees.tensorDegree();
    String left =
        tensor == 1
            ? ""
            : " (%d over %s)"
                .formatted(spec.heads(), ParallelConfig.TENSOR_PARALLEL_DEGREE.with(tensor));
    atMost(degrees, ParallelConfig.ULYSSES_DEGREE, spec.heads() / tensor, "attention heads" + left);
    atMost(degrees, ParallelConfig.DATA_PARALLEL_DEGREE, request.images(), "pictures");
    checkPatches(degrees, request);
    int listed = degrees.attnLayerNumForPp().stream().mapToInt(Integer::intValue).sum();
    if (listed > 0 && listed != spec.depth()) {
      throw new ArgumentException(
          ParallelConfig.ATTN_LAYER_NUM_FOR_PP
              + " "
              + degrees.attnLayerNumForPp()
              + " adds up to "
              + listed
              + " blocks, but the transformer has "
              + spec.depth());
    }
    if (degrees.cfgDegree() > 1 && !request.guided()) {
      throw new ArgumentException(
          "%s needs guidance, of which this request has none: %s"
              .formatted(ParallelConfig.USE_CFG_PARALLEL, scale(request)));
    }
  }

  private static String scale(GenerationRequest request) {
    InputConfig input = request.input();
    if (input.has(InputConfig.TRUE_CFG_SCALE)) {
      return "it comes of %s above 1 with %s"
          .formatted(InputConfig.TRUE_CFG_SCALE, InputConfig.NEGATIVE_PROMPT);
    } else if (request.guidance().condition() != 0) {
      return "the model is told " + InputConfig.GUIDANCE_SCALE + " itself";
    }
    boolean given = input.has(InputConfig.GUIDANCE_SCALE);
    return (given ? InputConfig.GUIDANCE_SCALE.name() : "the scale")
        + " is "
        + request.guidance().scale();
  }

  private static void atMost(
      ParallelConfig degrees, Setting<Integer> setting, int available, String of) {
    int asked = Objects.requireNonNullElse(degrees.get(setting), 1);
    if (asked > available) {
      throw new ArgumentException(
          "%s is %d, too many for %d %s".formatted(setting, asked, available, of));
    }
  }

  /** Each rank has a token of each patch at least. */
  private static void checkPatches(ParallelConfig degrees, GenerationRequest request) {
    int tokens = request.sequence().segments().get(0).tokens();
    long parts = (long) degrees.patchesOfARank() * degrees.sequenceDegree();
    if (parts > tokens) {
      Map<Setting<Integer>, Integer> factors = new LinkedHashMap<>();
      factors.put(
          degrees.get(ParallelConfig.NUM_PIPELINE_PATCH) == null
              ? ParallelConfig.PIPEFUSION_PARALLEL_DEGREE
              : ParallelConfig.NUM_PIPELINE_PATCH,
          degrees.patches());
      factors.put(
          ParallelConfig.NUM_DISTRIFUSION_PATCH,
          degrees.distrifusionDegree() > 1 ? 1 : degrees.distrifusionPatches());
      factors.put(ParallelConfig.ULYSSES_DEGREE, degrees.ulyssesDegree());
      factors.put(ParallelConfig.RING_DEGREE, degrees.ringDegree());
      factors.put(ParallelConfig.DISTRIFUSION_DEGREE, degrees.distrifusionDegree());
      factors.values().removeIf(one -> one == 1);
      throw new ArgumentException(
          factors.entrySet().stream()
                  .map(factor -> factor.getKey().with(factor.getValue()))
                  .collect(Collectors.joining(" × "))
              + " needs at least %d tokens, but the picture has %d".formatted(parts, tokens));
    }
  }
}
