package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.model.GenerationRequest.LayerGuidance;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Hidden.Place;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where latents enter the transformer and predictions leave it, with guidance.
 *
 * @param <C> the model's conditioning
 */
final class TransformerEnds<C> {
  private final RankPlan plan;
  private final DenoisingLoop.Parts<C> parts;
  private final Start start;
  private final double[] timesteps;
  private @Nullable C promptsAlone;

  TransformerEnds(RankPlan plan, DenoisingLoop.Parts<C> parts, Start start) {
    this.plan = plan;
    this.parts = parts;
    this.start = start;
    this.timesteps = parts.scheduler().timesteps();
  }

  /**
   * Says what the prompts alone are conditioned on, where guidance leads away from fewer layers.
   */
  void prompts(C conditioning) {
    promptsAlone = conditioning;
  }

  /** The hidden states of step {@code t} before all blocks, of {@code latents} (B, d, c). */
  Hidden embed(NDManager scope, NDArray latents, Place place, C conditioning, int t) {
    NDArray input = // (B, l, c + e), or (2B, l, c + e)
        parts.guidance().batch(scope, input(scope, latents, place, t));
    return entering(scope, input, place, conditioning);
  }

  /** What the model is given (B, l, c + e) in step {@code t}, of all segments. */
  private NDArray input(NDManager scope, NDArray latents, Place place, int t) {
    TokenRange denoised = plan.denoised().local(place.span(), plan.shard());
    NDArray scaled = parts.scheduler().scaleInput(scope, latents, t); // (B, d, c)
    return parts.segments().joined(scope, start.input(scope, scaled, denoised), place.span());
  }

  private Hidden entering(NDManager scope, NDArray input, Place place, C conditioning) {
    NDArray image = // (B, l, C)
        parts.stage().embedding().embed(scope, input, place.local(), conditioning);
    NDArray text = parts.stage().conditioner().jointText(conditioning); // (B, T, C)
    TokenRange own = place.text().own();
    return new Hidden(image, place)
        .with(
            image,
            text == null || own.length() == 0
                ? null
                : Torch.slice(scope, text, 1, own.from(), own.to())); // (B, t, C)
  }

  /** Where the tokens of {@code span} lie that this rank has, and those of its text. */
  Place place(PatchSpan span, C conditioning) {
    NDArray text = parts.stage().conditioner().jointText(conditioning); // (B, T, C)
    return new Place(
        plan.layout().local(span, plan.shard()),
        span,
        text == null ? TextTokens.NONE : plan.text(span, Math.toIntExact(text.getShape().get(1))));
  }

  /** The transformer's rows (B or 2B, d, c) for the hidden states after all blocks. */
  NDArray predict(NDManager scope, Hidden x, C conditioning) {
    NDArray all = parts.stage().head().predict(scope, x, conditioning); // of all segments
    return parts.segments().denoised(scope, all, x.place().span());
  }

  /**
   * What a transformer has predicted.
   *
   * @param rows (B or 2B, d, c)
   * @param latents (B, d, c) that it was given
   * @param place of both
   */
  record Rows(NDArray rows, NDArray latents, Place place) {}

  /** The prediction (B, d, c) of step {@code t}. */
  NDArray guided(NDManager scope, Rows predicted, int t) {
    NDArray combined = parts.guidance().combine(scope, predicted.rows(), timesteps[t]);
    LayerGuidance layers = plan.request().guidance().layers();
    if (!layers.at(t, plan.request().scheduler().steps())) {
      return combined;
    }
    WithoutLayers without =
        new WithoutLayers(layers.scale(), owner -> withoutLayers(owner, predicted, t));
    return parts.guidance().leadAway(scope, combined, predicted.rows(), without);
  }

  /** What the prompts alone predict (B, d, c) without the blocks that guidance leaves out. */
  private NDArray withoutLayers(NDManager scope, Rows predicted, int t) {
    C prompts = Objects.requireNonNull(promptsAlone);
    C alone = parts.stage().conditioner().at(scope, prompts, timesteps[t]);
    NDArray input = input(scope, predicted.latents(), predicted.place(), t);
    Hidden x = entering(scope, input, place(predicted.place().span(), alone), alone);
    PipelineStage<C> fewer = parts.stage().without(plan.request().guidance().layers().blocks());
    LongSkips.Pass skips = parts.skips().pass(scope);
    return predict(scope, fewer.forward(scope, x, alone, parts.contexts(), skips), alone);
  }
}
