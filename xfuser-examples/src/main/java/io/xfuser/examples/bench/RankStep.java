package io.xfuser.examples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.internal.attention.FreshSum;
import io.xfuser.internal.attention.LocalAttention;
import io.xfuser.internal.attention.PatchNeighbours;
import io.xfuser.internal.attention.UlyssesAttention;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.DeviceMesh;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.runtime.LoadedTransformer;
import io.xfuser.model.LatentShape;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.BlockContext.Across;
import io.xfuser.transformer.BlockContext.LayerListener;
import io.xfuser.transformer.BlockContext.Neighbours;
import io.xfuser.transformer.BlockContext.TokenSum;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Hidden.Place;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * One rank's part of a denoising step: timestep, embedding, all blocks, head. The ranks share the
 * sequence by Ulysses; one alone attends locally. Used by one thread.
 *
 * @param <C> the model's conditioning
 */
final class RankStep<C> implements AutoCloseable {
  private final NDManager request = Torch.newManager();
  private final LoadedTransformer<C> transformer;
  private final TokenLayout layout;
  private final int rank;
  private final C begun;
  private final double timestep;
  private final NDArray tokens;
  private final List<BlockContext> contexts;

  /** What the ranks of a step have in common. */
  record StepShape(LatentShape latents, ConditionInput.Picture picture, double timestep) {}

  RankStep(LoadedTransformer<C> transformer, World world, StepShape shape, StepInput shared) {
    this.transformer = transformer;
    this.rank = world.rank();
    StepInput input = shared.on(request, world.device());
    LatentShape latents = shape.latents();
    Sequence sequence = shape.picture().sequence();
    this.layout = new TokenLayout(sequence, 1, world.size());
    long[] positions = layout.positions(rank);
    NDArray all = latents.tokens(request, input.latents()); // (B·F, L, c)
    NDArray own = Patchify.select(request, all, positions); // (B, l, c)
    this.tokens = Torch.to(request, own, world.device());
    this.begun =
        transformer
            .conditioner()
            .begin(
                request,
                new ConditionInput(
                    input.text(),
                    shape.picture(),
                    LongStream.of(positions).boxed().toList(),
                    List.of()));
    this.timestep = shape.timestep();
    this.contexts = contexts(world);
  }

  private List<BlockContext> contexts(World world) {
    DeviceMesh mesh = new DeviceMesh(Map.of(MeshAxis.ULYSSES, world.size()));
    Communicator ranks = world.along(mesh, MeshAxis.ULYSSES);
    List<Integer> shards = IntStream.range(0, world.size()).boxed().toList();
    Attention local = new LocalAttention();
    Attention attention =
        world.size() == 1 ? local : new UlyssesAttention(ranks, layout, shards, local);
    TransformerSpec<C> spec = transformer.spec();
    TokenSum sum = new FreshSum(ranks, layout, rank);
    Neighbours neighbours = new PatchNeighbours(request, ranks, layout, false, false);
    return IntStream.range(0, spec.depth())
        .mapToObj(
            block ->
                new BlockContext(
                    Collections.nCopies(spec.attentions(block), attention),
                    new Across(
                        Collections.nCopies(spec.sums(block), sum),
                        Collections.nCopies(spec.neighbours(block), neighbours)),
                    Share.WHOLE,
                    (owner, whole) -> whole,
                    LayerListener.NONE))
        .toList();
  }

  /** Who owns which tokens. */
  TokenLayout layout() {
    return layout;
  }

  /** The prediction (B, l, c) for this rank's tokens. */
  NDArray predict(NDManager owner) {
    try (NDManager step = request.newSubManager()) {
      C conditioning = transformer.conditioner().at(step, begun, timestep);
      NDArray x = // (B, l, C)
          transformer
              .embedding()
              .embed(step, tokens, layout.local(layout.all(), rank), conditioning);
      Hidden hidden = entering(step, x, transformer.conditioner().jointText(conditioning));
      Map<Integer, NDArray> kept = new HashMap<>(); // outputs (B, l, C) that later blocks read
      TransformerSpec<C> spec = transformer.spec();
      for (int i = 0; i < contexts.size(); i++) {
        OptionalInt source = spec.skipFrom(i);
        Hidden input =
            source.isEmpty()
                ? hidden
                : hidden.withSkip(Objects.requireNonNull(kept.get(source.getAsInt())));
        Block<C> block = transformer.block(i, Share.WHOLE);
        hidden = block.forward(step, input, conditioning, contexts.get(i));
        if (isSource(spec, i)) {
          kept.put(i, hidden.image());
        }
        if (!kept.containsKey(i - 1)) {
          input.image().close();
        }
      }
      return transformer.head().predict(owner, hidden, conditioning);
    }
  }

  /** Before all blocks, with this rank's share of {@code text} (B, T, C). */
  private Hidden entering(NDManager step, NDArray image, @Nullable NDArray text) {
    TokenRange local = layout.local(layout.all(), rank);
    if (text == null) {
      return new Hidden(image, new Place(local, layout.all()));
    }
    int all = Math.toIntExact(text.getShape().get(1));
    TextTokens own = new TextTokens(all, 0, rank, layout.shards());
    return new Hidden(image, new Place(local, layout.all(), own))
        .with(image, Torch.slice(step, text, 1, own.own().from(), own.own().to()));
  }

  private static boolean isSource(TransformerSpec<?> spec, int block) {
    return IntStream.range(block, spec.depth())
        .anyMatch(reader -> spec.skipFrom(reader).equals(OptionalInt.of(block)));
  }

  @Override
  public void close() {
    request.close();
  }
}
