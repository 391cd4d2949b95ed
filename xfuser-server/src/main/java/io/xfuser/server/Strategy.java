package io.xfuser.server;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import java.util.ArrayList;
import java.util.List;

/** What a model is drawn with, in words. */
final class Strategy {
  private Strategy() {}

  /** {@code 4 ranks: Ulysses on 2, PipeFusion of 2 stages and 4 patches}. */
  static String words(EngineConfig engine) {
    ParallelConfig parallel = engine.parallel();
    List<String> parts = new ArrayList<>();
    part(parts, "data parallel", parallel.dataDegree());
    part(parts, "CFG parallel", parallel.cfgDegree());
    part(parts, "tensor parallel", parallel.tensorDegree());
    part(parts, "Ulysses", parallel.ulyssesDegree());
    part(parts, "ring", parallel.ringDegree());
    part(parts, "DistriFusion", parallel.distrifusionDegree());
    if (parallel.pipefusionDegree() > 1 || parallel.patches() > 1) {
      parts.add(
          "PipeFusion of %d stages and %d patches"
              .formatted(parallel.pipefusionDegree(), parallel.patches()));
    }
    if (parallel.vaeParallelSize() > 0) {
      parts.add(parallel.vaeParallelSize() + " that only decode");
    }
    String ranks = parallel.worldSize() == 1 ? "1 rank" : parallel.worldSize() + " ranks";
    return parts.isEmpty() ? ranks : ranks + ": " + String.join(", ", parts);
  }

  private static void part(List<String> parts, String name, int degree) {
    if (degree > 1) {
      parts.add(name + " on " + degree);
    }
  }
}
