package io.xfuser.examples.quality;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.internal.runtime.ImageProcessor;
import io.xfuser.model.LatentShape;
import io.xfuser.model.VaeDecoder;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.scheduler.Sample;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows a picture while its patches pass through PipeFusion, one after another. */
@Command(
    name = "scripts/quality/pictures",
    description = "Draws what the latents are after each patch of some steps, beside each other.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
public final class PatchStrip implements Callable<Integer> {
  private static final int GAP = 4;

  @Option(names = "--model", required = true, description = "A pipeline in diffusers' layout.")
  private Path model = Path.of("");

  @Option(names = "--prompt", required = true, description = "What is drawn.")
  private String prompt = "";

  @Option(names = "--output", required = true, description = "The PNG to write.")
  private Path output = Path.of("");

  @Option(names = "--num_inference_steps", description = "S.")
  private int steps = 6;

  @Option(names = "--num_pipeline_patch", description = "M.")
  private int patches = 4;

  @Option(names = "--first", description = "The first step that is shown.")
  private int first = 3;

  private final NDManager manager = Torch.newManager();
  private final List<NDArray> tokens = new ArrayList<>(); // of each patch, (1, l, c)
  private final List<NDArray> states = new ArrayList<>(); // after each patch, (1, L, c)
  private int passes;

  private PatchStrip() {}

  /** Takes the flags; {@code --help} tells them. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new PatchStrip()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    EngineConfig engine =
        EngineConfig.builder(model)
            .parallel(p -> p.numPipelinePatch(patches))
            .runtime(r -> r.warmupSteps(0))
            .build();
    InputConfig input =
        InputConfig.builder(prompt)
            .numInferenceSteps(steps)
            .guidanceScale(2.5)
            .useResolutionBinning(false)
            .build();
    try (manager;
        DiffusionPipeline opened = DiffusionPipeline.fromPretrained(engine.model());
        DiffusionPipeline watched =
            DiffusionPipeline.of(
                new ObservedModel<>(opened.model(), this::patchTaken), ElementType.FLOAT32)) {
      try (XDiTParallel rank = XDiTParallel.inProcess(watched, engine);
          Generation generation = rank.generate(input)) {
        LatentShape shape = opened.model().resolve(input).latents();
        ImageIO.write(strip(pictures(opened, shape)), "png", output.toFile());
        System.out.println(output + ": the last of them is that of " + generation.images().size());
      }
    }
    return 0;
  }

  /** Called in the order of steps, and of patches within. */
  private void patchTaken(Sample sample) {
    NDArray own = Torch.copy(manager, sample.tokens());
    int patch = passes++ % patches;
    if (tokens.size() <= patch) {
      tokens.add(own);
    } else {
      tokens.set(patch, own);
    }
    if (passes > first * patches) {
      states.add(Torch.concat(manager, tokens, 1));
    }
  }

  private List<BufferedImage> pictures(DiffusionPipeline pipeline, LatentShape shape) {
    List<BufferedImage> pictures = new ArrayList<>();
    try (VaeDecoder decoder = pipeline.model().vaeDecoder(Placement.CPU)) {
      for (NDArray state : states) {
        NDArray latents = shape.decodable(manager, state);
        NDArray pixels =
            decoder.decode(manager, latents, new VaeDecoder.DecodeOptions(false, false));
        Image picture = ImageProcessor.toImages(pixels).get(0);
        pictures.add((BufferedImage) picture.getWrappedImage());
      }
    }
    return pictures;
  }

  /** A row for each step. */
  private BufferedImage strip(List<BufferedImage> pictures) {
    int width = pictures.get(0).getWidth();
    int height = pictures.get(0).getHeight();
    int rows = pictures.size() / patches;
    BufferedImage strip =
        new BufferedImage(
            patches * (width + GAP) - GAP, rows * (height + GAP) - GAP, BufferedImage.TYPE_INT_RGB);
    Graphics2D canvas = strip.createGraphics();
    canvas.setPaint(java.awt.Color.WHITE);
    canvas.fillRect(0, 0, strip.getWidth(), strip.getHeight());
    for (int i = 0; i < pictures.size(); i++) {
      canvas.drawImage(
          pictures.get(i), i % patches * (width + GAP), i / patches * (height + GAP), null);
    }
    canvas.dispose();
    return strip;
  }
}
