package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.MemoryException;
import io.xfuser.internal.device.DeviceMemory;
import io.xfuser.internal.plan.HostMemory;
import io.xfuser.internal.plan.MemoryNeed;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.VaeDecoder;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/** Whether there is memory for a request: before it begins, and when there was none. */
final class MemoryCheck {
  private static final String REMEDY =
      "less is needed by a smaller picture, fewer pictures at a time, more ranks, %s, or %s and %s"
          .formatted(
              RuntimeConfig.DTYPE.with(ElementType.BFLOAT16),
              RuntimeConfig.ENABLE_TILING,
              RuntimeConfig.ENABLE_SLICING);

  private static final String SHORTER =
      "less is needed by a smaller " + InputConfig.MAX_SEQUENCE_LENGTH + ", which is %d, ";

  private static final String FEWER =
      "fewer prompts, %s, %s or %s"
          .formatted(
              RuntimeConfig.DTYPE.with(ElementType.BFLOAT16),
              RuntimeConfig.OFFLOAD.with(Offload.LAYERWISE),
              ModelConfig.QUANTIZE_TEXT_ENCODER.with(ElementType.INT8));

  private MemoryCheck() {}

  /**
   * Refuses what certainly does not fit into the memory that the ranks of this process have.
   *
   * @param draws of noise
   * @throws IllegalArgumentException with the numbers
   */
  static void require(RequestPlan plan, DiffusionPipeline pipeline, LocalRanks ranks, int draws) {
    GenerationRequest request = plan.request();
    OptionalLong host = HostMemory.ofThisMachine().usable();
    List<MemoryNeed> hostNeeds =
        new ArrayList<>(
            List.of(MemoryNeed.noise(plan, draws), MemoryNeed.pixels(plan, ranks.numbers())));
    VaeDecoder.Footprint decoder = pipeline.model().decoderSize();
    for (Device device : Set.copyOf(ranks.devices())) {
      List<MemoryNeed> needs =
          new ArrayList<>(
              MemoryNeed.onDevice(
                  plan, pipeline.spec(), decoder, ranks.on(device), device.isGpu()));
      VaeDecoder.Footprint encoder = pipeline.model().encoderSize();
      needs.add(MemoryNeed.encoding(plan, encoder, ranks.on(device)));
      if (device.isGpu()) {
        MemoryNeed.largest(needs)
            .require(request, "the memory of " + Torch.name(device), DeviceMemory.total(device));
      } else {
        hostNeeds.addAll(needs);
      }
    }
    MemoryNeed.largest(hostNeeds).require(request, "memory", host);
    OptionalLong java = OptionalLong.of(Runtime.getRuntime().maxMemory());
    MemoryNeed.ofJava(plan, ranks.numbers()).require(request, "Java's own memory", java);
    Size size = request.output();
    if (request.input().outputType() == OutputType.PIL
        && (long) size.height() * size.width() > Integer.MAX_VALUE) {
      throw new ArgumentException(
          "a picture of %d × %d pixels is too large: a picture in Java has at most %d pixels"
              .formatted(size.height(), size.width(), Integer.MAX_VALUE));
    }
  }

  /**
   * {@code failure}, or that there was no memory while {@code doing}, if that is what it says of
   * this rank.
   */
  static Throwable explained(Throwable failure, String doing, RequestPlan plan) {
    return RankFailures.isHeard(failure) // of another rank, which says so itself
        ? failure
        : MemoryException.of(failure, doing)
            .<Throwable>map(full -> full.withRemedy(remedy(doing, plan.request())))
            .orElse(failure);
  }

  private static String remedy(String doing, GenerationRequest request) {
    if (!doing.equals(MemoryNeed.TEXT)) {
      return REMEDY;
    }
    InputConfig input = request.input();
    return input.has(InputConfig.MAX_SEQUENCE_LENGTH) // which some models do not have
        ? SHORTER.formatted(input.maxSequenceLength()) + FEWER
        : "less is needed by " + FEWER;
  }
}
