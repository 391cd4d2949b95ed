package example;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Makes pictures on four ranks, which are threads of this JVM. */
public final class Embedding {
  private Embedding() {}

  /** Takes the model's directory, and the one to save pictures in. */
  public static void main(String[] args) throws IOException {
    Path model = Path.of(args[0]);
    ParallelConfig ranks = ParallelConfig.builder().ulyssesDegree(2).pipefusionDegree(2).build();
    EngineConfig engine = EngineConfig.builder(model).parallel(ranks).build();
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine)) {
      InputConfigBuilder fox = InputConfig.builder("a fox");
      for (InputConfig input : List.of(fox.size(128, 128).build(), fox.size(96, 144).build())) {
        try (Generation generation = pipeline.generate(input, Embedding::show)) {
          Path folder = Path.of(args[1], input.height() + "x" + input.width());
          System.out.println("saved " + generation.save(folder));
        }
      }
      pipeline.generate(fox.build(), (step, steps) -> step < steps / 2);
    } catch (CancelledException e) {
      System.out.println(e.getMessage());
    }
  }

  private static boolean show(int step, int steps) {
    System.out.println("step " + step + " of " + steps);
    return true; // go on
  }
}
