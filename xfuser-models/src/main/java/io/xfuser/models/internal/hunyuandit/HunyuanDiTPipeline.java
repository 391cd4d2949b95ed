package io.xfuser.models.internal.hunyuandit;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PictureSizes;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.text.TextWidth;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A HunyuanDiT directory ({@code HunyuanDiTPipeline} in diffusers). */
final class HunyuanDiTPipeline extends LatentPipeline<HunyuanDiTConfig, HunyuanDiTConditioning> {
  private static final Logger LOG = LoggerFactory.getLogger(HunyuanDiTPipeline.class);
  private static final int SCALE = 8; // pixels of a latent, which positions and sizes count on
  private static final int MULTIPLE = 16; // of pixels, which sizes are rounded down to
  private static final Kind KIND =
      new Kind(
          "hunyuandit",
          ModelSettings.ofPrompts(
              InputConfig.NEGATIVE_PROMPT,
              InputConfig.GUIDANCE_RESCALE,
              InputConfig.ETA,
              InputConfig.USE_RESOLUTION_BINNING));

  /** Which only transformers that are told of sizes and style have. */
  private static final Set<Setting<?>> SIZES =
      Set.of(InputConfig.ORIGINAL_SIZE, InputConfig.TARGET_SIZE, InputConfig.CROPS_COORDS_TOP_LEFT);

  HunyuanDiTPipeline(PipelineComponents components) {
    super(KIND, components, needs(), HunyuanDiTConfig::from);
  }

  private static Needs needs() {
    return Needs.of("HunyuanDiT2DModel")
        .text("", Ability.STATES, Ability.MASK)
        .text("_2", Ability.STATES, Ability.MASK);
  }

  @Override
  protected void check() {
    if (vae().scale() != SCALE) {
      throw new ArgumentException(
          "the autoencoder makes %d pixels of a latent, but HunyuanDiT needs %d"
              .formatted(vae().scale(), SCALE));
    }
    if (components().has("safety_checker")) {
      LOG.info("{}: the safety checker is not run", components().directory());
    }
    super.check();
  }

  @Override
  protected List<TextWidth> textWidths() {
    return List.of(
        TextWidth.of("cross_attention_dim", config().text().bert(), Map.of("", Ability.STATES)),
        TextWidth.of("cross_attention_dim_t5", config().text().t5(), Map.of("_2", Ability.STATES)));
  }

  @Override
  public Set<Setting<?>> settings() {
    return config().style() ? ModelSettings.union(super.settings(), SIZES) : super.settings();
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    Size rounded =
        PictureSizes.roundedDown(
            name(), MULTIPLE, PictureSizes.asked(input, config().sampleSize() * SCALE));
    Size size = input.binsResolution() ? HunyuanDiTSizes.standard(rounded) : rounded;
    PictureSizes.announce(name(), rounded, size);
    LatentShape latents = picture(size, config().channels(), HunyuanDiTConfig.PATCH);
    Defaults defaults = new Defaults(50, 5, HunyuanDiTConfig.T5_TOKENS, false);
    return GenerationRequest.of(input, size, latents, defaults);
  }

  @Override
  public TransformerSpec<HunyuanDiTConditioning> transformer(Placement placement) {
    return new HunyuanDiT(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new HunyuanDiTTextEncoder(components().on(placement), share);
  }

  @Override
  public boolean encodesAlone(TextEncoder.TextOptions options) {
    return true;
  }

  /** Opens HunyuanDiT directories. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(HunyuanDiTPipeline::new, "HunyuanDiTPipeline");
    }
  }
}
