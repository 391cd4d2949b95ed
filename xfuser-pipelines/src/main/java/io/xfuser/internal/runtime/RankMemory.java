package io.xfuser.internal.runtime;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.internal.plan.LayerTimes;
import io.xfuser.internal.plan.MemoryNeed;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.transformer.Part;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What one rank will hold, known before anything is read: the parts that it would load are loaded
 * {@linkplain Placement#NOWHERE nowhere}, so that there is no second account of what ranks load.
 *
 * @param rank the rank
 * @param transformerBytes weights of the transformer
 * @param transformerBytesAtOnce as many of them as are in memory at one time, where they are
 *     widened, or brought, as they are used
 * @param textEncoderBytes weights of text encoders, and of what sees pictures that are prompts
 * @param textEncoderBytesAtOnce as many of them as are in memory at one time, as above; both are
 *     upper bounds where weights stay in their mapped file ({@code Weights#inFile}), for they count
 *     as if they were widened
 * @param textCacheBytes the most that is kept of encoded prompts, after some requests
 * @param vaeBytes weights of the autoencoder
 * @param flopPerByteRead FLOPs of a pass for each byte that is read meanwhile; 0 where none is
 * @param needs what the request needs at least beside them, each phase alone
 */
public record RankMemory(
    int rank,
    long transformerBytes,
    long transformerBytesAtOnce,
    double flopPerByteRead,
    long textEncoderBytes,
    long textEncoderBytesAtOnce,
    long textCacheBytes,
    long vaeBytes,
    List<MemoryNeed> needs) {
  public long weightBytes() {
    return transformerBytes + textEncoderBytes + vaeBytes;
  }

  /**
   * {@code input} with something to draw, where it says nothing: as many pictures as ranks draw
   * different ones.
   */
  public static InputConfig drawable(
      PipelineModel<?> model, EngineConfig engine, InputConfig input) {
    int pictures = engine.parallel().dataDegree();
    if (!input.prompts().isEmpty() || !input.classLabels().isEmpty()) {
      return input;
    }
    return model.settings().contains(InputConfig.PROMPT)
        ? input.toBuilder().prompts(Collections.nCopies(pictures, "a picture")).build()
        : input.toBuilder().classLabels(Collections.nCopies(pictures, 0)).build();
  }

  /**
   * All ranks.
   *
   * @param ranks each of them
   * @param sharedBytes weights of all, where they are in one process and have what is alike once
   */
  public record Layout(List<RankMemory> ranks, long sharedBytes) {}

  /**
   * Of each rank of {@code engine}.
   *
   * @throws IllegalArgumentException if the degrees do not fit the model or the request, with the
   *     numbers
   */
  public static <C> Layout of(PipelineModel<C> model, EngineConfig engine, InputConfig input) {
    boolean layerwise = Set.of(Offload.SEQUENTIAL, Offload.LAYERWISE).contains(engine.held());
    Placement asHeld = new Placement(Placement.NOWHERE.device(), layerwise);
    try (PlacedPipeline<C> placed = PlacedPipeline.of(model, Placement.NOWHERE, new KeptTexts(0));
        PlacedPipeline<C> layered = PlacedPipeline.of(model, asHeld, new KeptTexts(0))) {
      GenerationRequest request = model.resolve(drawable(model, engine, input));
      int calls = model.scheduler(request.scheduler()).timesteps().length;
      RequestPlan plan =
          Residents.chosen(
              RequestPlan.of(engine, placed.transformer().spec(), request.withCalls(calls)),
              Residents.Sizes.of(model, kept(engine.model())),
              IntStream.range(0, engine.parallel().worldSize()).boxed().toList());
      List<RankMemory> all = new ArrayList<>();
      for (int rank = 0; rank < engine.parallel().worldSize(); rank++) {
        all.add(new Rank<>(placed, layered, plan, rank).memory());
      }
      long shared =
          placed.transformerBytes()
              + placed.textEncoderBytes()
              + placed.pictureEncoderBytes()
              + placed.vaeDecoder().bytes(VaeDecoder::parameterBytes)
              + placed.vaeEncoder().bytes(VaeEncoder::parameterBytes);
      return new Layout(all, shared);
    }
  }

  private static int kept(ModelConfig model) {
    return model.dynamicLora() ? model.loraCache() : 1;
  }

  /** What {@code rank} does of {@code plan}. */
  private record Rank<C>(
      PlacedPipeline<C> placed, PlacedPipeline<C> layered, RequestPlan plan, int rank) {
    RankMemory memory() {
      List<MemoryNeed> needs = new ArrayList<>(needs());
      needs.removeIf(need -> need.bytes() == 0);
      if (rank >= plan.denoising().size()) {
        return new RankMemory(rank, 0, 0, 0, 0, 0, 0, decoder(), needs);
      }
      RankPlan own = plan.denoising().get(rank);
      List<PipelineStage<C>> stages =
          placed.transformers().stream()
              .map(each -> PipelineStage.of(each, own.blocks(), own.share(), Holding.ALL))
              .toList();
      long all = stages.stream().mapToLong(PipelineStage::parameterBytes).sum();
      return new RankMemory(
          rank,
          all,
          plan.engine().held() == Offload.NONE ? all : atOnce(stages),
          flopPerByteRead(own, stages.get(0)),
          text(own, placed) + pictures(own, placed),
          encodersAtOnce(text(own, layered), pictures(own, layered)),
          own.mesh().replica(rank).get(0) == rank ? plan.engine().model().textCacheBytes() : 0,
          decoder() + encoder(own),
          needs);
    }

    private List<MemoryNeed> needs() {
      PipelineModel<C> model = placed.model();
      return Stream.concat(
              MemoryNeed.onDevice(
                  plan,
                  placed.transformer().spec(),
                  model.decoderSize(),
                  List.of(rank),
                  plan.engine().runtime().needsGpu())
                  .stream(),
              Stream.of(MemoryNeed.encoding(plan, model.encoderSize(), List.of(rank))))
          .toList();
    }

    /** Of transformers that come and go one after another; the blocks of each may, too. */
    private long atOnce(List<PipelineStage<C>> transformers) {
      Holding holding = Holding.of(plan);
      List<Residents.Parts> parts =
          transformers.stream().map(stage -> Residents.Parts.of(List.of(stage))).toList();
      return Residents.Parts.staying(parts, holding) + Residents.Parts.coming(parts, holding);
    }

    /** Of encoders that both stay, or that come and go one after the other. */
    private long encodersAtOnce(long text, long pictures) {
      return plan.engine().held() == Offload.NONE ? text + pictures : Math.max(text, pictures);
    }

    private double flopPerByteRead(RankPlan own, PipelineStage<C> stage) {
      if (plan.engine().held() != Offload.LAYERWISE) {
        return 0;
      }
      List<Long> blocks = stage.blocks().stream().map(Part::parameterBytes).toList();
      long all = blocks.stream().mapToLong(bytes -> bytes).sum();
      long read = all - Holding.of(plan).staying(blocks);
      return LayerTimes.flopsPerByte(
          own,
          placed.transformer().spec(),
          new LayerTimes.Read(blocks, read, plan.engine().runtime().dtype().bytes()));
    }

    private long text(RankPlan own, PlacedPipeline<C> where) {
      return textShare(own)
          .map(share -> where.textEncoder(share).get())
          .map(TextEncoder::parameterBytes)
          .orElse(0L);
    }

    private long pictures(RankPlan own, PlacedPipeline<C> where) {
      boolean sees = plan.request().prompts().pictures().encoder();
      return sees && own.mesh().replica(rank).get(0) == rank
          ? where.pictureEncoder().get().parameterBytes()
          : 0;
    }

    private Optional<Share> textShare(RankPlan own) {
      List<Integer> replica = own.mesh().replica(rank);
      int place = replica.indexOf(rank);
      return plan.engine().runtime().shardTextEncoder()
          ? Optional.of(new Share(place, replica.size()))
          : Optional.of(Share.WHOLE).filter(whole -> place == 0);
    }

    private long encoder(RankPlan own) {
      boolean encodes =
          plan.request().encodesPictures()
              && own.encoding(plan.engine().runtime().useParallelVae()).contains(rank);
      return encodes ? placed.vaeEncoder().get().parameterBytes() : 0;
    }

    private long decoder() {
      boolean decodes =
          plan.request().input().outputType() != OutputType.LATENT
              && plan.decoders(rank).contains(rank);
      return decodes ? placed.vaeDecoder().get().parameterBytes() : 0;
    }
  }
}
