package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.runtime.Guidance.Arithmetic;
import io.xfuser.model.GenerationRequest.Reference;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.progress.Progress;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * What one rank begins with: noise, and pictures that the request brings.
 *
 * @param run the rank's
 * @param loads brings the encoder of pictures
 * @param plan the rank's
 */
record StartStage(RankRun run, Loads<?> loads, RankPlan plan) {
  /**
   * The tokens (B, r, c) that this rank has of each picture that is referred to.
   *
   * @param start with what the request begins
   */
  List<NDArray> references(Start start) {
    List<Reference> seen = plan.request().seen();
    if (seen.stream().anyMatch(Reference::begun)) {
      return List.of(begun(Objects.requireNonNull(start.kept(), "nothing is kept").picture()));
    }
    return seen.isEmpty()
        ? List.of()
        : encoded(
            run.engine().runtime().dtype(),
            x -> x.references(run.tensors(), run.world().device(), this::pictureEncoder));
  }

  /** Of a picture's tokens (1, l, c), as samples have them, those that are referred to. */
  private NDArray begun(NDArray picture) {
    try (NDManager scope = run.tensors().newSubManager()) {
      NDArray tokens = Torch.cast(scope, picture, run.engine().runtime().dtype());
      return Torch.rows(run.tensors(), tokens, new long[plan.images().length()]); // (B, l, c)
    }
  }

  private <T> T encoded(ElementType type, Function<PictureTensors, T> made) {
    run.activity("encoding the picture");
    Mark start = run.figures().mark();
    T tensors = made.apply(pictureTensors(type));
    run.figures().pictureEncoded(start);
    return tensors;
  }

  /** The first sample, and what accompanies it. */
  Start start(Scheduler scheduler, GivenTensors given) {
    ElementType type =
        scheduler.sampleType(run.engine().runtime().dtype(), plan.request().pictures() != null);
    Noise drawn =
        Noise.draw(
            run.tensors(),
            plan,
            Noise.Draws.of(scheduler, type, plan.steps()),
            new Noise.Given(given.latents(), run.world().device()));
    if (plan.request().pictures() != null) {
      return encoded(
          type, x -> x.start(run.tensors(), drawn, given, scheduler, this::pictureEncoder));
    }
    NDArray initial = // (B, l, c)
        Arithmetic.PROGRAM.call(
            run.tensors(), "scale", drawn.initial(), scheduler.initialNoiseSigma());
    return Start.of(new Noise(initial, drawn.steps(), List.of()));
  }

  private PictureTensors pictureTensors(ElementType type) {
    RuntimeConfig runtime = run.engine().runtime();
    List<Integer> all = plan.mesh().replica(plan.rank());
    List<Integer> encoding = plan.encoding(runtime.useParallelVae());
    return new PictureTensors(
        plan,
        run.world().group(Channel.VAE, all),
        encoding.contains(plan.rank()) ? run.world().group(Channel.VAE, encoding) : null,
        new VaeDecoder.DecodeOptions(
            runtime.enableSlicing(),
            runtime.enableTiling(),
            1,
            false,
            (done, total) -> run.progress(new Progress.EncodingPicture(done, total))),
        type);
  }

  private Shared.Lease<VaeEncoder> pictureEncoder() {
    Shared.Lease<VaeEncoder> lease = loads.encoder();
    run.figures().vaeEncoder(lease.get().parameterBytes());
    return lease;
  }
}
