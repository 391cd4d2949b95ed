package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.model.GivenTensors;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.TransformerSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What one rank does to take steps, {@linkplain Phase phase} after phase. Each has its own blocks,
 * its own keys and values, and its own memory of what was computed; samples go from one to the
 * next.
 *
 * @param <C> the model's conditioning
 */
final class LoopStage<C> {
  private final PlacedPipeline<C> pipeline;
  private final RankRun run;
  private final RankPlan plan;
  private final RankGroups groups;
  private final Scheduler scheduler;
  private final List<Phase> phases;

  /** Nothing begun yet; {@code plan} is that of the rank, whose groups these are. */
  LoopStage(PlacedPipeline<C> pipeline, RankRun run, RankPlan plan, RankGroups groups) {
    this.pipeline = pipeline;
    this.run = run;
    this.plan = plan;
    this.groups = groups;
    this.scheduler = pipeline.model().scheduler(plan.request().scheduler());
    this.phases = Phase.of(pipeline.model(), plan, scheduler.timesteps());
  }

  /**
   * What it takes to take the steps of a phase.
   *
   * @param owner of all that the phase alone has
   * @param loop takes the steps
   * @param beginning with what the request began
   * @param text of both prompts
   */
  record Ready<C>(
      Phase phase,
      NDManager owner,
      PipelineStage<C> stage,
      DenoisingLoop<C> loop,
      C conditioning,
      Beginning beginning,
      Map<String, NDArray> text) {
    /** The step after the last one of the phase. */
    int end() {
      return phase.plan().to();
    }
  }

  /**
   * With what the steps of a request begin.
   *
   * @param start the first sample, and what accompanies all
   * @param segments what is beside them
   */
  record Beginning(Start start, Segments segments) {
    Beginning from(Sample sample) {
      return new Beginning(start.from(sample), segments);
    }
  }

  /** A phase before it has prompts. */
  private record Begun<C>(DenoisingLoop<C> loop, Beginning beginning) {}

  /**
   * The first phase.
   *
   * @param given the caller's tensors
   * @param midway where others left off, null if nobody began
   * @param early whether noise is drawn, and all is laid out, before the prompts are encoded
   * @param text encodes the prompts
   */
  Ready<C> first(
      GivenTensors given,
      @Nullable Sample midway,
      boolean early,
      Supplier<Map<String, NDArray>> text) {
    Phase phase = phases.get(0);
    NDManager owner = run.tensors().newSubManager();
    PipelineStage<C> stage = load(phase);
    Supplier<Begun<C>> prepare =
        () ->
            run.trace()
                .during(
                    Activity.PREPARE,
                    () -> {
                      Beginning beginning = begin(given);
                      Beginning from = midway == null ? beginning : beginning.from(midway);
                      return new Begun<>(loop(phase, owner, stage, from), from);
                    });
    Optional<Begun<C>> ahead = early ? Optional.of(prepare.get()) : Optional.empty();
    Map<String, NDArray> prompts = text.get();
    return ready(phase, owner, stage, ahead.orElseGet(prepare), prompts);
  }

  /** The phase after {@code before}, of which all steps are taken; closes that. */
  Ready<C> after(Ready<C> before) {
    Phase phase = phases.get(phases.indexOf(before.phase()) + 1);
    Beginning beginning = before.beginning().from(handedOver(before));
    before.owner().close();
    NDManager owner = run.tensors().newSubManager();
    PipelineStage<C> stage = load(phase);
    DenoisingLoop<C> loop =
        run.trace().during(Activity.PREPARE, () -> loop(phase, owner, stage, beginning));
    return ready(phase, owner, stage, new Begun<>(loop, beginning), before.text());
  }

  /**
   * The sample after the last step of a phase, where the next one needs it: all of it on the last
   * stage, its tokens on the first.
   */
  private Sample handedOver(Ready<C> before) {
    Communicator stages = groups.pipeline();
    if (stages.isLast()) {
      Sample sample = before.loop().sample(run.tensors());
      if (!stages.isFirst()) {
        stages.send(List.of(sample.tokens()), 0);
      }
      return sample;
    }
    Sample unused = before.beginning().start().sample();
    return stages.isFirst()
        ? new Sample(
            stages.receive(stages.size() - 1).await(run.tensors()).get(0), List.of(), before.end())
        : unused;
  }

  private Ready<C> ready(
      Phase phase,
      NDManager owner,
      PipelineStage<C> stage,
      Begun<C> begun,
      Map<String, NDArray> text) {
    TensorMap.Hold inUse = stage.hold();
    try (inUse) {
      if (!plan.request().guidance().layers().blocks().isEmpty()) {
        begun.loop().ends().prompts(condition(owner, stage, ShownTensors.ofPrompts(owner, text)));
      }
      Map<String, NDArray> own = guidance(phase).texts(owner, text);
      C conditioning = condition(owner, stage, own);
      return new Ready<>(phase, owner, stage, begun.loop(), conditioning, begun.beginning(), text);
    }
  }

  /** This rank's blocks, with the embedding on the first stage and the head on the last. */
  private PipelineStage<C> load(Phase phase) {
    run.activity("loading the transformer");
    Mark start = run.figures().mark();
    PipelineStage<C> stage =
        run.trace()
            .during(
                Activity.LOAD,
                () -> run.loads(pipeline).stage(phase.transformer(), plan.blocks(), plan.share()));
    run.figures().loaded(start);
    run.figures().transformer(stage.parameterBytes());
    return stage.without(pipeline.model().leftOut(plan.request()));
  }

  private C condition(NDManager owner, PipelineStage<C> stage, Map<String, NDArray> text) {
    List<Long> positions = LongStream.of(plan.layout().positions(plan.shard())).boxed().toList();
    List<Double> timesteps = DoubleStream.of(scheduler.timesteps()).boxed().toList();
    ConditionInput input = new ConditionInput(text, plan.request().picture(), positions, timesteps);
    return run.trace().during(Activity.CONDITION, () -> stage.conditioner().begin(owner, input));
  }

  private Beginning begin(GivenTensors given) {
    StartStage starting = new StartStage(run, run.loads(pipeline), plan);
    Start start = starting.start(scheduler, given);
    List<NDArray> references = starting.references(start);
    return new Beginning(start, new Segments(plan.layout(), plan.shard(), references));
  }

  private Guidance guidance(Phase phase) {
    return Guidance.of(phase.plan(), phase.guidance(), groups);
  }

  private DenoisingLoop<C> loop(
      Phase phase, NDManager owner, PipelineStage<C> stage, Beginning beginning) {
    RankPlan steps = phase.plan();
    TransformerSpec<C> spec = pipeline.transformers().get(phase.transformer()).spec();
    StepChoice choice = StepChoice.of(pipeline.model(), steps, groups);
    RankGroups.Asked asked = RankGroups.Asked.of(owner, steps, run.engine());
    return new DenoisingLoop<>(
        owner,
        steps,
        groups.pipeline(),
        new DenoisingLoop.Parts<>(
            stage,
            groups.contexts(asked, spec, run.figures()),
            asked.steps(),
            LongSkips.of(spec, steps, groups.skips(), choice.policy().none()),
            beginning.segments(),
            scheduler,
            guidance(phase),
            choice,
            run.trace(),
            run.figures()),
        beginning.start());
  }
}
