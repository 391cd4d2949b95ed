package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.nn.Range;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Long skip connections of one stage: outputs of blocks that later blocks read beside their own
 * input. Where reader and source are on different stages, the output goes there directly, one
 * message for each pair of stages and pass.
 */
final class LongSkips {
  private final TransformerSpec<?> spec;
  private final Range own;
  private final Communicator stages;
  private final Map<Integer, List<Integer>> incoming = new TreeMap<>(); // stage, its sources
  private final Map<Integer, List<Integer>> outgoing = new TreeMap<>(); // stage, sources for it
  private final Map<Integer, Inbox> inboxes = new HashMap<>();

  /**
   * The skips of one request.
   *
   * @param blocks the blocks of every stage
   * @param stages this rank's stage among the others
   * @param passes how often hidden states go through the stages; nothing where that is not known
   */
  LongSkips(TransformerSpec<?> spec, List<Range> blocks, Communicator stages, OptionalInt passes) {
    this.spec = spec;
    this.own = blocks.get(stages.rank());
    this.stages = stages;
    for (int reader = 0; reader < spec.depth(); reader++) {
      OptionalInt source = spec.skipFrom(reader);
      if (source.isPresent()) {
        connect(stage(blocks, source.getAsInt()), source.getAsInt(), stage(blocks, reader));
      }
    }
    incoming.forEach((stage, sources) -> inboxes.put(stage, Inbox.of(stages, stage, passes)));
  }

  /** The skips of {@code plan}'s request; {@code counted} if hidden states come as it says. */
  static LongSkips of(
      TransformerSpec<?> spec, RankPlan plan, Communicator stages, boolean counted) {
    OptionalInt passes = counted ? OptionalInt.of(plan.passes()) : OptionalInt.empty();
    return new LongSkips(spec, plan.stages(), stages, passes);
  }

  private void connect(int from, int source, int to) {
    if (from == to) {
      return;
    }
    if (to == stages.rank()) {
      incoming.computeIfAbsent(from, key -> new ArrayList<>()).add(source);
    } else if (from == stages.rank()) {
      outgoing.computeIfAbsent(to, key -> new ArrayList<>()).add(source);
    }
  }

  private static int stage(List<Range> blocks, int block) {
    int stage = 0;
    while (block >= blocks.get(stage).to()) {
      stage++;
    }
    return stage;
  }

  /** Begins a pass; {@code owner} owns what is kept until its end. */
  Pass pass(NDManager owner) {
    return new Pass(owner);
  }

  /** One pass of hidden states through the stage. */
  final class Pass {
    private final NDManager owner;
    private final Map<Integer, NDArray> outputs = new HashMap<>(); // block, (B, l, C)

    private Pass(NDManager owner) {
      this.owner = owner;
    }

    /** The input of {@code block}, with its skip. */
    Hidden before(int block, Hidden x) {
      OptionalInt source = spec.skipFrom(block);
      return source.isEmpty() ? x : x.withSkip(output(source.getAsInt()));
    }

    private NDArray output(int source) {
      if (!outputs.containsKey(source) && source < own.from()) {
        incoming.forEach(
            (stage, sources) -> {
              if (sources.contains(source)) {
                List<NDArray> arrived = inbox(stage).next(owner);
                for (int i = 0; i < sources.size(); i++) {
                  outputs.put(sources.get(i), arrived.get(i));
                }
              }
            });
      }
      return Objects.requireNonNull(outputs.get(source), () -> "no output of block " + source);
    }

    private Inbox inbox(int stage) {
      return Objects.requireNonNull(inboxes.get(stage));
    }

    /** Keeps the output of {@code block} if another block reads it. */
    void after(int block, Hidden x) {
      if (isSource(block)) {
        outputs.put(block, Torch.alias(owner, x.image()));
      }
    }

    private boolean isSource(int block) {
      for (int reader = block + 1; reader < spec.depth(); reader++) {
        if (spec.skipFrom(reader).equals(OptionalInt.of(block))) {
          return true;
        }
      }
      return false;
    }

    /** Sends what other stages read. */
    void end() {
      outgoing.forEach(
          (stage, sources) ->
              stages.send(
                  sources.stream().map(source -> Torch.contiguous(owner, output(source))).toList(),
                  stage));
    }
  }
}
