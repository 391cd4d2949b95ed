package io.xfuser.cli.runner;

import io.xfuser.cli.flags.XFuserArgs;
import io.xfuser.cli.quality.VideoFidelity;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Recorded;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** Draws on one rank and on many, and shows what the difference is. */
final class Comparison {
  /** The word that asks for one, before the flags. */
  static final String COMMAND = "compare";

  private static final String SUFFIX = ".png";
  private static final String COMPARED = "_compared";

  private final DiffusionPipeline pipeline;
  private final EngineConfig engine;
  private final Outputs outputs;
  private final PrintStream out;

  /** Compares {@code engine}'s ranks with one rank; {@code out} is told what comes out. */
  Comparison(DiffusionPipeline pipeline, EngineConfig engine, Outputs outputs, PrintStream out) {
    this.pipeline = pipeline;
    this.engine = engine;
    this.outputs = outputs;
    this.out = out;
  }

  /**
   * Checks what can be checked without the model.
   *
   * @param oneOfSeveral whether this process is one rank of several
   * @throws ArgumentException if nothing can be compared
   */
  static void check(XFuserArgs args, EngineConfig engine, boolean oneOfSeveral) {
    ParallelConfig degrees = engine.parallel();
    if (degrees.worldSize() == 1 && degrees.patchesOfARank() == 1) {
      throw new ArgumentException(
          "there is nothing to compare: one rank draws the whole picture at once; give a parallel"
              + " degree, --num_pipeline_patch or --num_distrifusion_patch");
    }
    if (oneOfSeveral || args.launcher().equals("process")) {
      throw new ArgumentException("compare draws with threads of one JVM, not with a JVM per rank");
    }
    OutputType type = args.inputConfig().outputType();
    if (type != OutputType.PIL) {
      throw new ArgumentException(
          "compare needs pictures or videos, but --output_type is "
              + type.name().toLowerCase(Locale.ROOT));
    }
  }

  /**
   * Both configurations' pictures; as they are pictures, nothing needs closing.
   *
   * @param serial one rank's
   * @param parallel all ranks'
   */
  record Drawn(Generation serial, Generation parallel) {}

  /** Draws with both. */
  Drawn draw(InputConfig input, ProgressListener listener) {
    EngineConfig alone = engine.toBuilder().parallel(ParallelConfig.serial()).build();
    try (XDiTParallel one = XDiTParallel.inProcess(pipeline, alone);
        XDiTParallel many = XDiTParallel.inProcess(pipeline, engine)) {
      return new Drawn(
          one.generate(input, listener), Runner.draw(many, input, listener, outputs.traced()));
    }
  }

  /** Writes the pictures or videos, each pair with its difference, and the figures. */
  void write(Drawn drawn) throws IOException {
    outputs.save(drawn.serial());
    Generation parallel = drawn.parallel();
    List<Pair> pairs = pairs(drawn, outputs.save(parallel));
    int factor =
        SideBySide.amplification(
            pairs.stream()
                .mapToDouble(pair -> pair.fidelity().largestDifference())
                .max()
                .orElse(0));
    List<ComparisonReport.PictureScores> figures = new ArrayList<>();
    for (Pair pair : pairs) {
      figures.add(pair.isVideo() ? video(pair, factor, parallel) : picture(pair, factor));
    }
    ComparisonReport report =
        new ComparisonReport(figures, factor, drawn.serial().report(), parallel.report());
    outputs.writeReport(report::toJson);
    outputs.writeTrace(parallel);
    out.println("compared: serial, parallel, and their difference times " + factor);
    figures.forEach(figure -> out.println(figure.line()));
  }

  /**
   * A picture or a video of both configurations.
   *
   * @param files the parallel one's, a frame each
   * @param frames what is in them, beside serial
   */
  private record Pair(List<Path> files, List<SideBySide> frames, VideoFidelity fidelity) {
    boolean isVideo() {
      return frames.size() > 1;
    }

    /** Frames that are there one at a time. */
    List<BufferedImage> drawn(int factor) {
      return new AbstractList<>() {
        @Override
        public BufferedImage get(int frame) {
          return frames.get(frame).draw(factor);
        }

        @Override
        public int size() {
          return frames.size();
        }
      };
    }
  }

  private static List<Pair> pairs(Drawn drawn, List<Path> files) {
    List<BufferedImage> serial = pictures(drawn.serial());
    List<BufferedImage> parallel = pictures(drawn.parallel());
    int frames = drawn.parallel().frames();
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < files.size(); i += frames) {
      List<BufferedImage> expected = serial.subList(i, i + frames);
      List<BufferedImage> found = parallel.subList(i, i + frames);
      pairs.add(
          new Pair(
              files.subList(i, i + frames),
              IntStream.range(0, frames)
                  .mapToObj(frame -> new SideBySide(expected.get(frame), found.get(frame)))
                  .toList(),
              VideoFidelity.of(expected, found)));
    }
    return pairs;
  }

  private static List<BufferedImage> pictures(Generation generation) {
    return generation.images().stream()
        .map(image -> (BufferedImage) image.getWrappedImage())
        .toList();
  }

  private ComparisonReport.PictureScores picture(Pair pair, int factor) throws IOException {
    Path file = pair.files().get(0);
    String name = String.valueOf(file.getFileName());
    String stem = name.substring(0, name.length() - SUFFIX.length());
    outputs.save(pair.frames().get(0).draw(factor), file.resolveSibling(stem + COMPARED + SUFFIX));
    return ComparisonReport.PictureScores.of(file, pair.fidelity().frames().get(0));
  }

  private ComparisonReport.PictureScores video(Pair pair, int factor, Generation parallel)
      throws IOException {
    Path first = pair.files().get(0);
    outputs.save(
        new Recorded.Video(pair.drawn(factor), outputs.perSecond(parallel), Map.of()),
        outputs.playing(first, COMPARED));
    return ComparisonReport.PictureScores.of(
        outputs.playing(first, ""), pair.fidelity(), pair.files());
  }
}
