package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.model.GivenTensors;
import io.xfuser.nn.Patchify;
import io.xfuser.scheduler.Sample;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * A request between two steps, in host memory, whatever the layout of the ranks that took it so far
 * or will take it further. All else that a request has is drawn or encoded anew from what was asked
 * for; keys and values of the step before are not kept, so that the next step is synchronous.
 */
public final class Midway implements AutoCloseable {
  private final NDManager owner;
  private final Sample sample; // (B·F, L, c), of all pictures
  private final Map<String, NDArray> text; // of both prompts, a row per picture; may be empty
  private final List<String> layouts;

  private Midway(NDManager owner, Sample sample, Map<String, NDArray> text, List<String> layouts) {
    this.owner = owner;
    this.sample = sample;
    this.text = Map.copyOf(text);
    this.layouts = layouts;
  }

  /** How many steps were taken. */
  public int steps() {
    return sample.step();
  }

  /** The labels of the layouts whose ranks took steps, in order. */
  public List<String> layouts() {
    return layouts;
  }

  /**
   * The labels of the layouts that take the steps of {@code plan}.
   *
   * @param before those before it
   * @param taken steps when it is over, or went on elsewhere
   */
  public static List<String> layouts(RequestPlan plan, List<String> before, int taken) {
    List<String> all = new ArrayList<>(before);
    String label = plan.engine().parallel().label();
    boolean same = !all.isEmpty() && all.get(all.size() - 1).equals(label);
    if (taken > plan.from() && !same) {
      all.add(label);
    }
    return List.copyOf(all);
  }

  /** {@code given} with the prompts that are encoded already. */
  GivenTensors with(GivenTensors given) {
    return text.isEmpty() ? given : given.withText(text);
  }

  /** What {@code plan}'s rank has of it, where it computes: (B·F, l, c). */
  Sample of(NDManager mine, RankPlan plan, Device device) {
    return Samples.map(sample, x -> own(mine, x, plan, device));
  }

  private static NDArray own(NDManager mine, NDArray whole, RankPlan plan, Device device) {
    long frames = whole.getShape().get(0) / plan.request().images();
    try (NDManager scope = mine.newSubManager()) {
      NDArray pictures = // (B·F, L, c)
          Torch.slice(scope, whole, 0, plan.images().from() * frames, plan.images().to() * frames);
      return Torch.to(mine, Noise.own(scope, pictures, plan), device);
    }
  }

  @Override
  public void close() {
    owner.close();
  }

  /** What the ranks of one layout have of a request. */
  public static final class Builder implements AutoCloseable {
    private final NDManager owner = Torch.newManager();
    private final RequestPlan plan;
    private final List<String> before; // layouts
    private final Map<Integer, Sample> samples = new TreeMap<>(); // rank, (B·F, l, c)
    private final Map<String, NDArray> text = new HashMap<>();

    /** Nothing known yet but the layouts {@code before} that of {@code plan}. */
    public Builder(RequestPlan plan, List<String> before) {
      this.plan = plan;
      this.before = before;
    }

    private NDArray here(NDArray tensor) {
      return Torch.to(owner, tensor, Device.cpu());
    }

    /** The {@code sample} (B·F, l, c) that {@code rank} has. */
    void sample(int rank, Sample sample) {
      samples.put(rank, Samples.map(sample, this::here));
    }

    /** The text tensors of {@code rank}; kept where it has those of all pictures. */
    void text(RankPlan rank, Map<String, NDArray> encoded) {
      if (text.isEmpty() && rank.images().length() == plan.request().images()) {
        encoded.forEach((name, tensor) -> text.put(name, here(tensor)));
      }
    }

    /** All of it; closes this. */
    public Midway build() {
      NDManager kept = Torch.newManager();
      try (this) {
        Sample first = sampleOf(plan.sources().get(0));
        List<NDArray> history = new ArrayList<>();
        for (int i = 0; i < first.history().size(); i++) {
          int past = i;
          history.add(whole(kept, sample -> sample.history().get(past)));
        }
        NDArray tokens = whole(kept, Sample::tokens);
        text.replaceAll((name, tensor) -> Torch.alias(kept, tensor));
        Sample sample = new Sample(tokens, history, first.step());
        return new Midway(kept, sample, text, layouts(plan, before, first.step()));
      } catch (RuntimeException | Error e) {
        kept.close();
        throw e;
      }
    }

    /** What all ranks together have of a tensor of the sample, (B·F, L, c). */
    private NDArray whole(NDManager kept, Function<Sample, NDArray> tensor) {
      List<NDArray> pictures = new ArrayList<>();
      for (int source : plan.sources()) {
        RankPlan rank = plan.denoising().get(source);
        List<NDArray> shards =
            rank.shardRanks().stream().map(shard -> tensor.apply(sampleOf(shard))).toList();
        pictures.add(Patchify.assemble(owner, shards, rank.denoised()));
      }
      return Torch.concat(kept, pictures, 0);
    }

    private Sample sampleOf(int rank) {
      return Objects.requireNonNull(samples.get(rank), () -> "no sample of rank " + rank);
    }

    @Override
    public void close() {
      owner.close();
    }
  }
}
