package example;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.failure.CancelledException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

public final class Embedding {
  /** Takes the model's directory, and the one to save pictures in. */
  public static void main(String[] args) throws IOException {
    Path model = Path.of(args[0]);
    EngineConfig engine =
        EngineConfig.builder(model).parallel(p -> p.ulyssesDegree(2).pipefusionDegree(2)).build();
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine)) {
      InputConfigBuilder fox = InputConfig.builder("a fox");
      for (InputConfig input : List.of(fox.size(128, 128).build(), fox.size(96, 144).build())) {
        try (Generation drawn = pipeline.generate(input, Embedding::show)) {
          System.out.println(drawn.save(Path.of(args[1], input.height() + "x" + input.width())));
        }
      }
      GenerationTask another = pipeline.submit(fox.build());
      another.cancel(); // in whatever phase it is
      another.await();
    } catch (CancelledException e) {
      System.out.println(e.getMessage());
    }
  }

  private static boolean show(Progress progress) {
    System.out.println(progress.line());
    return true; // go on
  }
}
