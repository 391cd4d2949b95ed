package io.xfuser.cli.runner;

import ai.djl.modality.cv.Image;
import io.xfuser.cli.flags.XFuserArgs;
import io.xfuser.cli.quality.Fidelity;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Draws on one rank and on many, and shows what the difference is. */
final class Comparison {
  /** The word that asks for one, before the flags. */
  static final String COMMAND = "compare";

  private static final String SUFFIX = ".png";

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
          "compare needs pictures, but --output_type is " + type.name().toLowerCase(Locale.ROOT));
    }
  }

  /**
   * Both configurations' pictures; as they are pictures, nothing needs closing.
   *
   * @param serial one rank's
   * @param parallel all ranks'
   */
  record Drawn(Generation serial, Generation parallel) {}

  /**
   * Draws with both.
   *
   * @throws ArgumentException if the model makes videos
   */
  Drawn draw(InputConfig input, ProgressListener listener) {
    int frames = pipeline.model().resolve(input).latents().pixelFrames();
    if (frames > 1) {
      throw new ArgumentException(
          "compare needs pictures, but %s makes videos of %d frames"
              .formatted(pipeline.name(), frames));
    }
    EngineConfig alone = engine.toBuilder().parallel(ParallelConfig.serial()).build();
    try (XDiTParallel one = XDiTParallel.inProcess(pipeline, alone);
        XDiTParallel many = XDiTParallel.inProcess(pipeline, engine)) {
      return new Drawn(
          one.generate(input, listener), Runner.draw(many, input, listener, outputs.traced()));
    }
  }

  /** Writes the pictures, each pair with its difference, and the figures. */
  void write(Drawn drawn) throws IOException {
    Generation serial = drawn.serial();
    Generation parallel = drawn.parallel();
    outputs.save(serial);
    List<Path> files = outputs.save(parallel);
    List<SideBySide> pairs = new ArrayList<>();
    List<ComparisonReport.PictureScores> figures = new ArrayList<>();
    double largest = 0;
    for (int i = 0; i < files.size(); i++) {
      SideBySide pair =
          new SideBySide(picture(serial.images().get(i)), picture(parallel.images().get(i)));
      Fidelity fidelity = Fidelity.of(pair.reference(), pair.picture());
      pairs.add(pair);
      figures.add(ComparisonReport.PictureScores.of(files.get(i), fidelity));
      largest = Math.max(largest, fidelity.largestDifference());
    }
    int factor = SideBySide.amplification(largest);
    for (int i = 0; i < files.size(); i++) {
      String name = String.valueOf(files.get(i).getFileName());
      String stem = name.substring(0, name.length() - SUFFIX.length());
      Path beside = files.get(i).resolveSibling(stem + "_compared" + SUFFIX);
      outputs.save(pairs.get(i).draw(factor), beside);
    }
    ComparisonReport report =
        new ComparisonReport(figures, factor, serial.report(), parallel.report());
    outputs.writeReport(report::toJson);
    outputs.writeTrace(parallel);
    out.println("compared: serial, parallel, and their difference times " + factor);
    figures.forEach(figure -> out.println(figure.line()));
  }

  private static BufferedImage picture(Image image) {
    return (BufferedImage) image.getWrappedImage();
  }
}
