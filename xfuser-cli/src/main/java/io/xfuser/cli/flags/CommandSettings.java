package io.xfuser.cli.flags;

import io.xfuser.config.Kind;
import io.xfuser.config.Setting;
import java.nio.file.Path;
import java.util.List;

/** The settings of the command alone. */
final class CommandSettings {
  static final Setting<String> MODEL =
      Setting.of(
              "model",
              Kind.name(),
              "DIR|ORG/NAME",
              "The model: a directory in diffusers' layout, or a name on the Hugging Face hub, with"
                  + " @REVISION if not main, which is downloaded once")
          .open("the demo model");

  static final Setting<Integer> DIT_PARALLEL_SIZE =
      Setting.of("dit_parallel_size", Kind.whole(0), "N", "Ranks of the transformer; only checked")
          .or(0, "the product of the degrees");

  static final Setting<Launch> LAUNCHER =
      Setting.of(
              "launcher",
              Kind.oneOf(Launch.class),
              "KIND",
              "thread: the ranks are threads of one JVM; process: one JVM each")
          .or(Launch.THREAD);

  static final Setting<Path> OUTPUT_DIRECTORY =
      Setting.of("output_directory", Kind.path(), "DIR", "Where pictures are written")
          .or(Path.of("results"));

  static final Setting<Double> FPS =
      Setting.of(
              "fps", Kind.number(1, 240), "N", "Frames of a video that its file shows in a second")
          .open("the model's own");

  static final Setting<Video> VIDEO_FORMAT =
      Setting.of(
              "video_format",
              Kind.oneOf(Video.class),
              "KIND",
              "What a video is written as, beside its frames: mp4 (H.264), or webp or gif (256"
                  + " colours), which play wherever pictures are shown")
          .or(Video.MP4);

  static final Setting<Path> PREVIEW =
      Setting.of(
          "preview",
          Kind.path(),
          "FILE",
          "A small picture of the latents while they are denoised: .png or .jpg, or .webp or .gif,"
              + " in which videos play");

  static final Setting<Path> REPORT =
      Setting.of("report", Kind.path(), "FILE", "Times, bytes and memory as JSON");

  static final Setting<Path> TRACE =
      Setting.of(
          "trace",
          Kind.path(),
          "FILE",
          "What each rank did when, as JSON for Perfetto or chrome://tracing");

  static final Setting<Path> TRACE_PICTURE =
      Setting.of("trace_picture", Kind.path(), "FILE", "The same as a picture, SVG");

  static final Setting<Boolean> VERSION =
      Setting.off("version", "Show the versions of xfuser, libtorch and Java and end");

  static final Setting<Boolean> HELP = Setting.off("help", "Show this text and end");

  /** What is made of the pictures of one command. */
  static final List<Setting<?>> OF_PICTURES =
      List.of(OUTPUT_DIRECTORY, FPS, VIDEO_FORMAT, PREVIEW, REPORT, TRACE, TRACE_PICTURE);

  /** What videos are written as. */
  enum Video {
    MP4,
    WEBP,
    GIF
  }

  /** Where ranks live. */
  enum Launch {
    THREAD,
    PROCESS
  }

  private CommandSettings() {}
}
