package io.xfuser.models.traffic;

import io.xfuser.torchscript.Torch;
import io.xfuser.torchscript.Traffic;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Prints what a block of a model does to a GPU's memory: {@code scripts/bench/traffic MODEL}. */
final class TrafficTable {
  private TrafficTable() {}

  public static void main(String... models) throws IOException {
    String model = models.length == 1 ? models[0] : "";
    List<BlockTraffic> blocks = BlockTraffic.of(model);
    if (blocks.isEmpty()) {
      String all =
          Stream.of(BlockTraffic.values())
              .map(BlockTraffic::model)
              .distinct()
              .collect(Collectors.joining(" "));
      System.err.println("usage: scripts/bench/traffic MODEL, which is one of: " + all + " all");
      System.exit(2);
    }
    Torch.prepareThread(1);
    System.out.println(
        "| block | kernels | activations moved | copies | with --fused_kernels |\n"
            + "|---|---|---|---|---|");
    for (BlockTraffic block : blocks) {
      Traffic traffic = block.measured(false);
      Traffic own = block.measured(true);
      System.out.printf(
          Locale.ROOT,
          "| %s | %d | %.1f | %d | %d, %.1f |%n",
          block.title(),
          traffic.kernels(),
          block.activations(traffic),
          traffic.copies(),
          own.kernels(),
          block.activations(own));
    }
  }
}
