package io.xfuser.models.internal.latte;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel.Calibration;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.VaeDecoder;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.adaln.AdaLnConditioning;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.models.internal.weights.WeightMap.Patch;
import io.xfuser.nn.Patchify;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A Latte directory ({@code LattePipeline} in diffusers): videos, or pictures of one frame. */
final class LattePipeline extends LatentPipeline<LatteConfig, AdaLnConditioning> {
  private static final int SIDE = 512;
  private static final int TEXT_TOKENS = 120;

  private static final Kind KIND =
      new Kind(
          "latte",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.NUM_FRAMES,
              InputConfig.ETA,
              InputConfig.TIMESTEPS,
              InputConfig.CLEAN_CAPTION,
              InputConfig.MASK_FEATURE,
              InputConfig.DECODE_CHUNK_SIZE,
              InputConfig.ENABLE_TEMPORAL_ATTENTIONS));

  LattePipeline(PipelineComponents components) {
    super(KIND, components, needs(), LatteConfig::from);
  }

  private static Needs needs() {
    return Needs.of("LatteTransformer3DModel")
        .text("", Ability.STATES, Ability.MASK)
        .vae(VaeProvider.Ability.FRAMES);
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(config().layers().textWidth());
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    int frames = Objects.requireNonNullElse(input.numFrames(), config().frames());
    if (frames != 1 && frames != config().frames()) {
      throw new ArgumentException(
          "num_frames is %d, but this model makes 1 or %d frames"
              .formatted(frames, config().frames()));
    }
    Patch patch = config().layers().patch();
    int scale = vae().scale();
    Size size = PictureSizes.asked(input, SIDE);
    PictureSizes.requireMultiples(Math.max(8, scale * patch.size()), size);
    LatentShape latents =
        latents(
            size, frames, patch.channels(), new Patchify(patch.size()), LatentShape.Layout.FRAMES);
    return GenerationRequest.of(input, size, latents, new Defaults(50, 7.5, TEXT_TOKENS, true));
  }

  /** Every other block attends over time. */
  @Override
  public Set<Integer> leftOut(GenerationRequest request) {
    boolean all =
        !Boolean.FALSE.equals(request.input().get(InputConfig.ENABLE_TEMPORAL_ATTENTIONS));
    return IntStream.range(0, config().layers().layers())
        .filter(i -> !all)
        .mapToObj(i -> 2 * i + 1)
        .collect(Collectors.toSet());
  }

  /** TeaCache's polynomial as its authors publish it. */
  @Override
  public Calibration calibration() {
    return new Calibration(
        List.of(-2464.34137, 308.044764, 80.7447667, -4.11385132, 0.111001402), List.of());
  }

  /** One prompt has no padding, several have. */
  @Override
  public boolean drawsAlike() {
    return false;
  }

  @Override
  public TransformerSpec<AdaLnConditioning> transformer(Placement placement) {
    return new Latte(config().layers(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new LatteTextEncoder(Captions.open(components().on(placement), share));
  }

  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    return autoencoder().opened(placement, vae().unshifted()::framesDecoder);
  }

  /** Opens Latte directories. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(LattePipeline::new, "LattePipeline");
    }
  }
}
