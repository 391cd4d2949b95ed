package io.xfuser.pipeline;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.report.Provenance;
import io.xfuser.internal.runtime.Midway;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.internal.runtime.StepGate;
import io.xfuser.model.GenerationRequest;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One request on the ranks of one {@link XDiTParallel}, with its pauses between steps. The thread
 * of the queue draws; while the request is paused, whoever took it out of the queue closes it or
 * goes on with it elsewhere.
 */
final class RequestCourse implements AutoCloseable {
  private final RequestStart requests;
  private final RequestQueue queue;
  private final Asked asked;
  private final Asked.By by;
  private final @Nullable Midway midway;
  private final StepGate gate = new StepGate();
  private List<RankSeat> seats = List.of();
  private @Nullable RunningRequest running;

  /** Not begun; {@code midway} is where other ranks left off, closed with this. */
  RequestCourse(
      RequestStart requests,
      RequestQueue queue,
      Asked asked,
      Asked.By by,
      @Nullable Midway midway) {
    this.requests = requests;
    this.queue = queue;
    this.asked = asked;
    this.by = by;
    this.midway = midway;
  }

  RequestQueue queue() {
    return queue;
  }

  StepGate gate() {
    return gate;
  }

  /** Whether some rank, of these or of another layout, has worked on it. */
  boolean hasBegun() {
    return running != null || midway != null;
  }

  /** Whether ranks in other JVMs have the same request in their queues. */
  boolean together() {
    return requests.ranks().world() != null;
  }

  /**
   * Begins or goes on, and waits until no rank is at work on it.
   *
   * @param watching makes what watches it, when it begins
   * @return null where it is paused
   */
  @Nullable Generation draw(GenerationTask task, Supplier<RequestWatch> watching) {
    RunningRequest before = running;
    RunningRequest now = before == null ? begin(watching.get()) : before.again(requests.go(seats));
    running = now;
    task.started(now);
    try {
      List<RankResult> results = now.await();
      if (results.isEmpty()) {
        return null;
      }
      Generation.Output output = output(asked.plan());
      close();
      return Generation.of(results, output);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private Generation.Output output(RequestPlan plan) {
    DiffusionPipeline pipeline = requests.pipeline();
    GenerationRequest request = plan.request();
    Provenance.Made made =
        new Provenance.Made(
            pipeline.name(),
            pipeline.model().scheduler(request.scheduler()).name(),
            String.join(", ", Midway.layouts(plan, layouts(), plan.steps())));
    return Generation.Output.of(
        OutputFiles.prefix(pipeline, requests.engine()),
        request,
        new Provenance(made, pipeline.drawing(requests.engine()), request, plan.loras()));
  }

  /** Of the ranks that took steps before these. */
  private List<String> layouts() {
    return midway == null ? List.of() : midway.layouts();
  }

  private RunningRequest begin(RequestWatch watch) {
    return requests.start(
        asked, new RankSeat.Call(by.given(), midway, watch, gate), made -> seats = made);
  }

  /** Bytes of tensors that the ranks keep while it is paused. */
  long keptBytes() {
    return seats.stream().mapToLong(RankSeat::keptBytes).sum();
  }

  /**
   * The same request on the ranks of {@code other}, from here on.
   *
   * @throws IllegalArgumentException if it has another pipeline, or cannot do it
   */
  Supplier<RequestCourse> on(XDiTParallel other) {
    RequestStart theirs = other.requests();
    if (theirs.ranks().world() != null || !theirs.pipeline().equals(requests.pipeline())) {
      throw new ArgumentException(
          "a paused request goes on where ranks are threads of this JVM, with the same opened"
              + " pipeline");
    }
    Asked planned = Asked.of(() -> theirs.check().plan(by.input(), by.given()));
    planned.plan();
    return () -> {
      try (Midway.Builder state = new Midway.Builder(asked.plan(), layouts())) {
        seats.forEach(seat -> seat.describe(state));
        Midway left = state.build();
        Asked rest = Asked.of(() -> planned.plan().from(left.steps()));
        close();
        return new RequestCourse(theirs, other.queue(), rest, by, left);
      }
    };
  }

  @Override
  public void close() {
    seats.forEach(RankSeat::close);
    seats = List.of();
    if (midway != null) {
      midway.close();
    }
  }
}
