package io.xfuser.serving;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Backend;
import io.xfuser.server.Drawn;
import java.util.concurrent.CompletableFuture;

/** One client's request. */
final class ScheduledTask implements Backend.Task {
  private final ScheduledBackend backend;
  private final Asked asked;
  private final ProgressListener listener;
  private final CompletableFuture<Drawn> result = new CompletableFuture<>();

  /**
   * What is asked, and what follows from it.
   *
   * @param request with the model's defaults
   * @param arrival seconds of the backend's clock
   * @param deadline the same, infinite for none
   * @param means what it can be drawn with
   */
  record Asked(
      long id,
      InputConfig input,
      GenerationRequest request,
      double arrival,
      double deadline,
      ElasticRanks.Means means) {}

  ScheduledTask(ScheduledBackend backend, Asked asked, ProgressListener listener) {
    this.backend = backend;
    this.asked = asked;
    this.listener = listener;
  }

  long id() {
    return asked.id();
  }

  InputConfig input() {
    return asked.input();
  }

  GenerationRequest request() {
    return asked.request();
  }

  double arrival() {
    return asked.arrival();
  }

  double deadline() {
    return asked.deadline();
  }

  int most() {
    return asked.means().most();
  }

  String joins() {
    return asked.means().alike() ? Together.key(input(), request()) : "";
  }

  /** What has steps of equal length. */
  String shape() {
    return "%dx%dx%d%s"
        .formatted(
            request().size().height(),
            request().size().width(),
            request().latents().frames(),
            (request().guided() ? " guided" : "") + (spares(input()) ? " with a cache" : ""));
  }

  /** Whether some steps take less than others. */
  static boolean spares(InputConfig input) {
    return input.cache() != InputConfig.StepCache.NONE;
  }

  /** Tells the client; whether it still wants the picture. */
  boolean progressed(Progress progress) {
    if (!result.isDone() && !listener.progressed(progress)) {
      cancel();
    }
    return !result.isDone();
  }

  void done(Drawn drawn) {
    result.complete(drawn);
  }

  void failed(Throwable why) {
    result.completeExceptionally(why);
  }

  @Override
  public CompletableFuture<Drawn> result() {
    return result;
  }

  @Override
  public void cancel() {
    if (!backend.cancelAlone(this)) { // others are drawn with it, and go on
      failed(new CancelledException("cancelled while it was drawn with others"));
    }
  }

  @Override
  public int place() {
    return backend.place(this);
  }
}
