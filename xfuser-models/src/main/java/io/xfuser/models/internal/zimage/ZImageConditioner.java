package io.xfuser.models.internal.zimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Embeds and refines the text, which is the same in every step; embeds the timestep.
 *
 * @param weights all but those of {@code refiners}
 * @param refiners the blocks that refine the text
 */
record ZImageConditioner(ZImageConfig config, TensorMap weights, List<TensorMap> refiners)
    implements Conditioner<ZImageConditioning> {
  private static final int SINUSOIDS = 256;
  private static final int TIME_INNER = 1024;

  static ZImageConditioner load(ZImageConfig config, Weights weights) {
    long width = config.width();
    return new ZImageConditioner(
        config,
        WeightMap.of(
            weights,
            w -> {
              w.plain()
                  .linear("t_embedder.mlp.0", TIME_INNER, SINUSOIDS)
                  .linear("t_embedder.mlp.2", config.timeWidth(), TIME_INNER);
              return w.scale("cap_embedder.0", config.textWidth())
                  .linear("cap_embedder.1", width, config.textWidth())
                  .tensor("cap_pad_token", 1, width)
                  .tensor("x_pad_token", 1, width);
            }),
        IntStream.range(0, config.refiners())
            .mapToObj(i -> weights.at("context_refiner." + i + "."))
            .map(block -> WeightMap.of(block, w -> ZImageBlock.read(w, config)))
            .toList());
  }

  @Override
  public ZImageConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(ZImageTextEncoder.EMBEDS); // (B, S, text width)
    NDArray given = input.text(ZImageTextEncoder.MASK); // (B, S)
    long tokens = input.picture().sequence().denoised().tokens();
    long[] axes = config.axes().stream().mapToLong(Integer::longValue).toArray();
    double theta = config.theta();
    try (NDManager scope = request.newSubManager()) {
      NDList caption = // (B, K, C), (B, K)
          ZImage.PROGRAM.callList(scope, "caption", embeds, given, weights, config.epsilon());
      long captionTokens = caption.get(1).getShape().get(1);
      NDArray turns = // (B, K, D/2, 2)
          ZImage.PROGRAM.call(scope, "text_rotation", caption.get(0), captionTokens, axes, theta);
      NDArray x = caption.get(0);
      for (TensorMap refiner : refiners) {
        x =
            ZImage.PROGRAM.call(
                scope,
                "refined",
                x,
                caption.get(1),
                turns,
                refiner,
                config.headSize(),
                config.epsilon());
      }
      long filling = Math.floorMod(-tokens, ZImageConfig.MULTIPLE);
      NDList text = // (B, T, C), (B, T)
          ZImage.PROGRAM.callList(request, "text", x, caption.get(1), filling, weights);
      return new ZImageConditioning(
          text.get(0),
          captionTokens,
          unlessWhole(text.get(1)),
          ZImage.PROGRAM.call(request, "text_rotation", text.get(0), captionTokens, axes, theta),
          ZImage.PROGRAM.call(
              request, "image_rotation", input.coordinates(scope, embeds), given, axes, theta),
          new StepModulations(
              request,
              input.timesteps(),
              (to, t) -> ZImage.PROGRAM.call(to, "condition", t, text.get(0), weights)),
          null);
    }
  }

  private static @Nullable NDArray unlessWhole(NDArray mask) {
    return LongStream.of(mask.toLongArray()).allMatch(value -> value == 1) ? null : mask;
  }

  @Override
  public ZImageConditioning at(NDManager step, ZImageConditioning c, double timestep) {
    return c.at(step, timestep);
  }

  @Override
  public NDArray jointText(ZImageConditioning c) {
    return c.text();
  }

  @Override
  public long parameterBytes() {
    return weights.bytes() + refiners.stream().mapToLong(TensorMap::bytes).sum();
  }

  @Override
  public void close() {
    refiners.forEach(TensorMap::close);
    weights.close();
  }
}
