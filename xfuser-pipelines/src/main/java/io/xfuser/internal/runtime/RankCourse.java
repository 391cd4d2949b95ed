package io.xfuser.internal.runtime;

import io.xfuser.internal.report.Reports;
import io.xfuser.internal.weights.ReadAhead;
import io.xfuser.model.GivenTensors;
import io.xfuser.report.RunReport;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.TraceEvent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One rank's way through one request, in one piece or with pauses between steps. */
public final class RankCourse {
  private final RankRun run;
  private final Work work;
  private final PlacedPipeline<?> pipeline;

  private RankCourse(RankRun run, Work work, PlacedPipeline<?> pipeline) {
    this.run = run;
    this.work = work;
    this.pipeline = pipeline;
  }

  /** What a rank does of a request. */
  interface Work {
    /** The pictures; null if {@code gate} closed before they were there. */
    @Nullable RankPictures pictures(StepGate gate);

    /** Puts what this rank has of the latents, and of the prompts, into {@code midway}. */
    default void describe(Midway.Builder midway) {}
  }

  /**
   * With nothing done yet.
   *
   * @param given the caller's tensors
   * @param midway where another layout of ranks left off, where the plan begins; null where none
   *     did
   */
  public static RankCourse of(
      PlacedPipeline<?> pipeline, RankRun run, GivenTensors given, @Nullable Midway midway) {
    DecodeStage decoding = new DecodeStage(run, run.loads(pipeline));
    if (run.rank() >= run.plan().denoising().size()) {
      return new RankCourse(run, gate -> decoding.alone(run.tensors(), gate), pipeline);
    }
    RankPipeline.Given from = new RankPipeline.Given(given, midway);
    return new RankCourse(run, RankPipeline.of(pipeline, run, decoding, from), pipeline);
  }

  /**
   * Does this rank's part of the request, or what is left of it; all ranks return together.
   *
   * @return null where the request pauses, because {@code gate} has closed
   */
  public @Nullable RankResult go(StepGate gate) {
    ReadAhead before = pipeline.readAhead();
    RankPictures pictures = work.pictures(gate);
    run.figures().readAhead(pipeline.readAhead().since(before));
    if (pictures == null) {
      return null;
    }
    run.figures().look();
    try {
      run.activity("finishing");
      List<TraceEvent> recorded = run.trace().events(); // before the reports' own messages
      RunReport report = Reports.gather(run.tensors(), run.world(), run.engine(), run.figures());
      return new RankResult(pictures, report, Reports.trace(run.tensors(), run.world(), recorded));
    } catch (RuntimeException | Error e) {
      pictures.close();
      throw e;
    }
  }

  /** Puts what another layout of ranks needs to go on from here into {@code midway}. */
  public void describe(Midway.Builder midway) {
    work.describe(midway);
  }

  /** Bytes of all tensors that this rank keeps, those with two handles counted twice. */
  public long keptBytes() {
    return Torch.openBytes(run.tensors());
  }
}
