package io.xfuser.internal.runtime;

import io.xfuser.config.Offload;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.MemoryException;
import io.xfuser.internal.plan.MemoryNeed;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Range;
import io.xfuser.transformer.Part;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How many blocks may stay in memory where others are read ahead of use: as many as fit beside what
 * a request needs of it (the memory side of ChunkFlow's model, arXiv 2605.11335). Sizes are those
 * of the parts themselves, made nowhere.
 *
 * @param transformers one after another: what ranks of this process have of each
 * @param choices of LoRAs whose blocks stay: each may change all transformers
 * @param tensors bytes of those that are there while steps are taken
 * @param others what the phases before and after the steps have in memory
 */
public record Residents(List<Parts> transformers, int choices, double tensors, List<Need> others) {
  /** What the JVM and libtorch take before a tensor is made, about. */
  private static final double PROCESS = 512 << 20;

  /** What they certainly take: a JVM with libtorch that has drawn nothing takes 90 MB. */
  private static final double LEAST_PROCESS = 64 << 20;

  /** Tensors that are there at one time beside those that certainly are, as a multiple of them. */
  private static final double TENSORS = 2;

  /**
   * What ranks have of a transformer.
   *
   * @param blocks of each rank's part, but once of what ranks share, its blocks' sizes
   * @param ends what belongs to them beside their blocks
   */
  public record Parts(List<List<Long>> blocks, long ends) {
    static <C> Parts of(Collection<PipelineStage<C>> stages) {
      List<List<Long>> blocks = new ArrayList<>();
      long ends = 0;
      for (PipelineStage<C> stage : stages) {
        List<Long> each = stage.blocks().stream().map(Part::parameterBytes).toList();
        blocks.add(each);
        ends += stage.parameterBytes() - each.stream().mapToLong(bytes -> bytes).sum();
      }
      return new Parts(blocks, ends);
    }

    /** Bytes that stay of all of them, also while others take their steps. */
    static long staying(List<Parts> all, Holding holding) {
      return all.stream().mapToLong(each -> each.staying(holding)).sum();
    }

    /** Bytes that come and go beside them, of one at a time. */
    static long coming(List<Parts> all, Holding holding) {
      return all.stream().mapToLong(each -> each.coming(holding)).max().orElse(0);
    }

    private long staying(Holding holding) {
      return blocks.stream().mapToLong(holding::staying).sum();
    }

    private long coming(Holding holding) {
      return ends + blocks.stream().mapToLong(holding::atOnce).sum() - staying(holding);
    }

    private int depth() {
      return blocks.stream().mapToInt(List::size).max().orElse(0);
    }
  }

  /**
   * What a phase has in memory, in bytes.
   *
   * @param weights of its component
   * @param tensors those that are certainly there
   */
  public record Need(double weights, double tensors) {
    private double bytes(double times) {
      return weights + times * tensors;
    }
  }

  /**
   * What a model's components take where one layer at a time is there; what does not depend on a
   * request is found out once, for tokenizers are opened with text encoders.
   *
   * @param <C> the model's conditioning
   */
  public static final class Sizes<C> {
    private static final Placement NOWHERE = new Placement(Placement.NOWHERE.device(), true);

    private final PipelineModel<C> model;
    private final int choices;
    private @Nullable Long text;
    private @Nullable Long decoder;

    private Sizes(PipelineModel<C> model, int choices) {
      this.model = model;
      this.choices = choices;
    }

    /**
     * Of {@code model}, nothing found out yet.
     *
     * @param choices of LoRAs whose weights are kept
     */
    public static <C> Sizes<C> of(PipelineModel<C> model, int choices) {
      return new Sizes<>(model, choices);
    }

    private synchronized long text() {
      Long known = text;
      if (known == null) {
        try (TextEncoder encoder = model.textEncoder(NOWHERE, Share.WHOLE)) {
          known = encoder.parameterBytes();
        }
        Optional<PictureEncoder> pictures = model.pictureEncoder(NOWHERE);
        if (pictures.isPresent()) {
          try (PictureEncoder encoder = pictures.get()) {
            known = Math.max(known, encoder.parameterBytes()); // one after the other
          }
        }
        text = known;
      }
      return known;
    }

    private synchronized long decoder() {
      Long known = decoder;
      if (known == null) {
        try (VaeDecoder opened = model.vaeDecoder(NOWHERE)) {
          known = opened.parameterBytes();
        }
        decoder = known;
      }
      return known;
    }
  }

  private record Owned(Range blocks, Share share) {}

  /**
   * {@code plan} with as many blocks in memory as its engine's {@code max_memory} has room for, or
   * as it was where that is not given.
   *
   * @param ranks those of this process
   * @throws ArgumentException with the numbers, if not even two blocks at a time fit
   */
  public static <C> RequestPlan chosen(RequestPlan plan, Sizes<C> of, Collection<Integer> ranks) {
    OptionalLong most = plan.engine().runtime().residency().maxMemory();
    if (most.isEmpty() || plan.engine().held() != Offload.LAYERWISE) {
      return plan;
    }
    Residents sizes = of(plan, of, ranks);
    Holding holding = Holding.of(plan);
    sizes.requireRoom(holding.with(0), most.getAsLong());
    int depth = sizes.transformers.stream().mapToInt(Parts::depth).max().orElse(1);
    int staying = depth;
    while (staying > 0
        && sizes.most(holding.with((double) staying / depth), TENSORS) + PROCESS
            > most.getAsLong()) {
      staying--;
    }
    return plan.withResident((double) staying / depth);
  }

  private static <C> Residents of(RequestPlan plan, Sizes<C> sizes, Collection<Integer> ranks) {
    List<LoadedTransformer<C>> loaded = LoadedTransformer.of(sizes.model, Sizes.NOWHERE);
    try {
      List<Parts> transformers = loaded.stream().map(each -> parts(plan, each, ranks)).toList();
      List<MemoryNeed> needs = // of steps, decoding, text
          MemoryNeed.onDevice(
              plan,
              loaded.get(0).spec(),
              sizes.model.decoderSize(),
              ranks,
              plan.engine().runtime().needsGpu());
      double text = MemoryNeed.encodesText(plan, ranks) ? sizes.text() : 0;
      return new Residents(
          transformers,
          sizes.choices,
          needs.get(0).bytes(),
          List.of(
              new Need(sizes.decoder(), needs.get(1).bytes()),
              new Need(text, needs.get(2).bytes())));
    } finally {
      loaded.forEach(LoadedTransformer::close);
    }
  }

  private static <C> Parts parts(
      RequestPlan plan, LoadedTransformer<C> transformer, Collection<Integer> ranks) {
    Map<Owned, PipelineStage<C>> stages = new LinkedHashMap<>();
    for (RankPlan rank : plan.denoising()) {
      if (ranks.contains(rank.rank())) {
        stages.computeIfAbsent(
            new Owned(rank.blocks(), rank.share()),
            own -> PipelineStage.of(transformer, own.blocks(), own.share(), Holding.ALL));
      }
    }
    return Parts.of(stages.values());
  }

  /**
   * Bytes at the most, with {@code times} as many tensors as are certainly there: blocks that stay
   * do so while other transformers take their steps.
   */
  private double most(Holding holding, double times) {
    double most = new Need(Parts.coming(transformers, holding), tensors).bytes(times);
    for (Need other : others) {
      most = Math.max(most, other.bytes(times));
    }
    double others = (choices - 1.0) * Parts.staying(transformers, holding);
    return Parts.staying(transformers, holding) + others + most;
  }

  private void requireRoom(Holding none, long bytes) {
    double least = LEAST_PROCESS + most(none, 1);
    if (least > bytes) {
      throw new ArgumentException(
          "max_memory is %s, but the JVM, libtorch, and weights and tensors that are in memory at one time take %s at least, with no block staying there"
              .formatted(MemoryException.amount((double) bytes), MemoryException.amount(least)));
    }
  }
}
