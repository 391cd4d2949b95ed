package io.xfuser.server;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A video that was asked for: queued, in progress, completed or failed. */
final class VideoJob {
  private static final int WHOLE = 100;

  private final String id;
  private final Model model;
  private final Drawing drawing;
  private final Film film;
  private final long created = System.currentTimeMillis() / 1000;
  private final long since = System.nanoTime();
  private volatile @Nullable String file;
  private volatile @Nullable Refusal failure;
  private volatile long completed;

  VideoJob(String id, Model model, Drawing drawing, Film film) {
    this.id = id;
    this.model = model;
    this.drawing = drawing;
    this.film = film;
  }

  /**
   * What a video will be.
   *
   * @param frames how many
   * @param fps how many of them are shown in a second
   * @param size width and height, as OpenAI writes them
   */
  record Film(int frames, double fps, String size) {}

  String id() {
    return id;
  }

  Drawing drawing() {
    return drawing;
  }

  /** The name of its file among those that are kept; null until it is there. */
  @Nullable String file() {
    return file;
  }

  /** Why there will be none; null if there is no reason. */
  @Nullable Refusal failure() {
    return failure;
  }

  long age() {
    return System.nanoTime() - since;
  }

  boolean isOver() {
    return file != null || failure != null;
  }

  void completed(String name) {
    completed = System.currentTimeMillis() / 1000;
    file = name;
  }

  void failed(Refusal why) {
    completed = System.currentTimeMillis() / 1000;
    failure = why;
  }

  private String status() {
    if (isOver()) {
      return file == null ? "failed" : "completed";
    }
    return drawing.hasBegun() ? "in_progress" : "queued";
  }

  /**
   * As OpenAI tells of it.
   *
   * @param keptSeconds how long it can be had
   */
  Map<String, Object> told(long keptSeconds) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("id", id);
    told.put("object", "video");
    told.put("model", model.name());
    told.put("status", status());
    told.put("progress", file != null ? WHOLE : Math.min(WHOLE - 1, drawing.percent()));
    told.put("created_at", created);
    told.put("size", film.size());
    told.put("seconds", String.valueOf(Math.max(1, Math.round(film.frames() / film.fps()))));
    told.put("num_frames", film.frames());
    if (isOver()) {
      told.put("completed_at", completed);
      told.put("expires_at", completed + keptSeconds);
    }
    Refusal why = failure;
    if (why != null) {
      told.put("error", Map.of("code", "generation_failed", "message", why.getMessage()));
    }
    return told;
  }
}
