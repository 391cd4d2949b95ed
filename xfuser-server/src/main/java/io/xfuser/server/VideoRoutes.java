package io.xfuser.server;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Kind;
import io.xfuser.config.Setting;
import io.xfuser.model.GenerationRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** OpenAI's routes for videos: jobs that go on without their client. */
final class VideoRoutes {
  static final Setting<Integer> SECONDS =
      Setting.of(
              "seconds",
              Kind.whole(1, 3600),
              "SECONDS",
              "Of the video, at its frames per second; num_frames is exact")
          .open("the model's own");

  static final Setting<Double> FPS =
      Setting.of("fps", Kind.number(1, 240), "N", "Frames of the video that are shown in a second")
          .open("the model's own");

  private static final int OK = 200;
  private static final long NANOS = 1_000_000_000;

  private final Served served;
  private final Map<String, VideoJob> jobs = new ConcurrentHashMap<>();

  VideoRoutes(Served served) {
    this.served = served;
  }

  void on(Router router) {
    router.post("/v1/videos").handler(c -> create(new Call(c)));
    router.get("/v1/videos").handler(c -> list(new Call(c)));
    router.get("/v1/videos/:video").handler(c -> tell(new Call(c)));
    router.get("/v1/videos/:video/content").handler(c -> content(new Call(c)));
    router.delete("/v1/videos/:video").handler(c -> delete(new Call(c)));
  }

  private void create(Call call) {
    call.body(served.settings().value(ServerSettings.MAX_BODY_BYTES))
        .compose(body -> call.context().vertx().executeBlocking(() -> job(call, body), false))
        .onSuccess(job -> call.json(OK, job.told(keptSeconds())))
        .onFailure(call::refuse);
  }

  private long keptSeconds() {
    return Math.round(served.settings().value(ServerSettings.KEEP_SECONDS));
  }

  private VideoJob job(Call call, Buffer body) {
    forget();
    Form form = Form.read(call.header(HttpHeaders.CONTENT_TYPE), body.getBytes());
    DrawRequest request = DrawRequest.of(form, served.limits());
    Integer seconds = given(form, SECONDS);
    Double given = given(form, FPS);
    boolean pictures = request.input().image() != null;
    Model model = served.model(form.text("model"), true, pictures);
    call.fact("model", model.name());
    int usual = usualFps(model, request);
    double fps = given == null ? usual : given;
    if (seconds != null && request.input().numFrames() == null) {
      int frames = (int) Math.round(seconds * fps);
      request = request.with(request.input().toBuilder().numFrames(frames).build());
    }
    GenerationRequest judged = model.check(request, served.limits());
    if (judged.images() != 1) {
      throw Refusal.badField(
          request.fields().of(InputConfig.NUM_IMAGES_PER_PROMPT),
          "a job makes one video, but %d are asked for".formatted(judged.images()));
    }
    String size = judged.output().width() + "x" + judged.output().height();
    VideoJob.Film film = new VideoJob.Film(judged.latents().pixelFrames(), fps, size);
    return started(model, request.fields(), film, served.draw(call, model, request, false));
  }

  /** Of one frame, which costs least: more may not fit where as many as are asked for do. */
  private static int usualFps(Model model, DrawRequest request) {
    if (!model.makesVideos()) {
      throw Refusal.badField(
          "model",
          "the model %s makes pictures, no videos: ask for them at /v1/images/generations"
              .formatted(model.name()));
    }
    InputConfig frame = request.input().toBuilder().numFrames(1).build();
    return request.fields().judge(() -> model.backend().check(frame)).latents().fps();
  }

  private static <T> @Nullable T given(Form form, Setting<T> setting) {
    Object value = form.fields().get(setting.name());
    try {
      return value == null ? null : setting.read(value); // OpenAI's clients send a text
    } catch (IllegalArgumentException e) {
      throw Refusal.badField(setting.name(), String.valueOf(e.getMessage()));
    }
  }

  private VideoJob started(Model model, Fields fields, VideoJob.Film film, Drawing drawing) {
    String id = "video_" + UUID.randomUUID().toString().replace("-", "");
    VideoJob job = new VideoJob(id, model, drawing, film);
    jobs.put(id, job);
    var unused =
        drawing
            .result()
            .thenApply(drawn -> encoded(drawn, film.fps()))
            .whenComplete(
                (file, failure) -> {
                  if (failure != null) {
                    job.failed(fields.drawing(failure));
                  } else if (jobs.containsKey(id)) {
                    model.metrics().pictures(1);
                    job.completed(served.files().keep(file, "video/mp4"));
                  }
                });
    return job;
  }

  private static byte[] encoded(Drawn drawn, double fps) {
    Drawn.Picture video = drawn.pictures().get(0);
    try {
      return Recorded.bytes(
          Recorded.Format.MP4, new Recorded.Video(video.frames(), fps, video.provenance()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Those whose time is over. */
  private void forget() {
    long most = keptSeconds() * NANOS;
    jobs.values().removeIf(job -> job.isOver() && job.age() > most);
  }

  private void list(Call call) {
    forget();
    List<Map<String, Object>> data = // the newest first
        jobs.values().stream()
            .sorted(Comparator.comparingLong(VideoJob::age))
            .map(job -> job.told(keptSeconds()))
            .toList();
    call.json(OK, Map.of("object", "list", "data", data, "has_more", false));
  }

  private @Nullable VideoJob job(Call call) {
    forget();
    String id = String.valueOf(call.context().pathParam("video"));
    VideoJob job = jobs.get(id);
    if (job == null) {
      call.refuse(
          new Refusal(
              Refusal.NOT_FOUND, "there is no video " + id + ", or it is forgotten", "not_found"));
    }
    return job;
  }

  private void tell(Call call) {
    VideoJob job = job(call);
    if (job != null) {
      call.response().putHeader("openai-poll-after-ms", "1000");
      call.json(OK, job.told(keptSeconds()));
    }
  }

  private void content(Call call) {
    VideoJob job = job(call);
    if (job == null) {
      return;
    }
    String variant = call.request().getParam("variant");
    if (variant != null && !variant.equals("video")) {
      call.refuse(Refusal.badField("variant", "there is the video alone, but no " + variant));
      return;
    }
    String name = job.file();
    FileStore.Kept kept = name == null ? null : served.files().get(name);
    if (kept != null) {
      call.response().putHeader(HttpHeaders.CONTENT_TYPE, kept.mediaType()).end(kept.bytes());
    } else if (job.failure() != null) {
      call.refuse(job.failure());
    } else {
      call.refuse(
          new Refusal(
              Refusal.NOT_FOUND,
              name == null ? "the video is not there yet" : "the video is forgotten",
              "not_found"));
    }
  }

  private void delete(Call call) {
    VideoJob job = job(call);
    if (job == null) {
      return;
    }
    jobs.remove(job.id());
    String name = job.file();
    if (name == null) {
      job.drawing().abandon();
    } else {
      served.files().remove(name);
    }
    call.json(OK, Map.of("id", job.id(), "object", "video.deleted", "deleted", true));
  }
}
