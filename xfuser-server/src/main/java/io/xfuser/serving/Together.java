package io.xfuser.serving;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.server.Drawn;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request, or several that are drawn together, on their way over the ranks. Guarded by the
 * backend, but for what its listener is told.
 */
final class Together {
  private final List<ScheduledTask> tasks = new ArrayList<>();
  private volatile int taken;
  private int degree;
  private boolean stopping;
  private boolean decoding;
  private @Nullable GenerationTask task;
  private @Nullable XDiTParallel ranks;
  private @Nullable XDiTParallel home; // where it was last

  Together(ScheduledTask first) {
    tasks.add(first);
  }

  /** The same settings but for what each picture has of its own; empty where it is drawn alone. */
  static String key(InputConfig input, GenerationRequest request) {
    boolean one =
        request.images() == 1
            && input.prompts().size() == 1
            && input.image() == null
            && input.seeds().isEmpty()
            && Integer.valueOf(0).equals(input.get(InputConfig.PARTIAL_IMAGES))
            && Integer.valueOf(0).equals(input.get(InputConfig.PREVIEW_EVERY));
    return one
        ? common(input).build() + (input.negativePrompts().isEmpty() ? " alone" : " negative")
        : "";
  }

  private static InputConfigBuilder common(InputConfig input) {
    return input.toBuilder()
        .set(InputConfig.PROMPT, null)
        .set(InputConfig.NEGATIVE_PROMPT, null)
        .set(InputConfig.SEED, null);
  }

  /** One request of all of them. */
  InputConfig input() {
    InputConfig first = tasks.get(0).input();
    if (tasks.size() == 1) {
      return first;
    }
    List<InputConfig> all = tasks.stream().map(ScheduledTask::input).toList();
    var joined = common(first).prompts(all.stream().map(x -> x.prompts().get(0)).toList());
    if (!first.negativePrompts().isEmpty()) {
      joined.negativePrompts(all.stream().map(x -> x.negativePrompts().get(0)).toList());
    }
    return joined.seeds(all.stream().map(InputConfig::seed).toList()).build();
  }

  long id() {
    return tasks.get(0).id();
  }

  List<ScheduledTask> tasks() {
    return tasks;
  }

  void join(Together other) {
    tasks.addAll(other.tasks);
  }

  int steps() {
    return tasks.get(0).request().calls();
  }

  int pictures() {
    return tasks.stream().mapToInt(one -> one.request().images()).sum();
  }

  String shape() {
    return tasks.get(0).shape();
  }

  int degree() {
    return degree;
  }

  boolean isDecoding() {
    return decoding;
  }

  boolean isWaiting() {
    return task == null;
  }

  @Nullable GenerationTask task() {
    return task;
  }

  @Nullable XDiTParallel ranks() {
    return ranks;
  }

  @Nullable XDiTParallel home() {
    return home;
  }

  /** It is at work on {@code many} of {@code on}. */
  void runs(GenerationTask drawing, XDiTParallel on, int many) {
    task = drawing;
    ranks = on;
    home = on;
    degree = many;
    stopping = false;
  }

  void stopping() {
    stopping = true;
  }

  /** It has no ranks any more. */
  void stopped(int steps) {
    taken = steps;
    degree = 0;
    ranks = null;
    stopping = false;
  }

  void decodes() {
    decoding = true;
  }

  /** Tells all of it; whether somebody still wants it. */
  boolean progressed(Progress progress, StepTimes times) {
    if (progress instanceof Progress.Denoising step) {
      taken = (int) step.done();
      if (step.seconds() > 0 && degree > 0) {
        times.measured(shape(), pictures(), degree, step.seconds());
      }
    }
    boolean wanted = false;
    for (ScheduledTask one : List.copyOf(tasks)) {
      wanted |= one.progressed(progress);
    }
    return wanted;
  }

  /** Each has its part of the pictures. */
  void done(List<Drawn.Picture> pictures) {
    int from = 0;
    for (ScheduledTask each : tasks) {
      int to = from + each.request().images();
      each.done(new Drawn(pictures.subList(from, to)));
      from = to;
    }
  }

  /** What the scheduler knows of it. */
  Work state() {
    ScheduledTask first = tasks.get(0);
    return new Work(
        id(),
        shape(),
        pictures(),
        steps(),
        taken,
        first.arrival(),
        tasks.stream().mapToDouble(ScheduledTask::deadline).min().orElseThrow(),
        degree,
        first.most(),
        stopping,
        tasks.size() == 1 && isWaiting() ? first.joins() : "");
  }
}
