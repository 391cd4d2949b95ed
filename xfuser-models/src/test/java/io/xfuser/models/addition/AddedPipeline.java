package io.xfuser.models.addition;

import io.xfuser.config.InputConfig;
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
import io.xfuser.models.internal.text.Captions;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;

/** Draws with {@link AddedTransformer}, whatever the other components. */
final class AddedPipeline extends LatentPipeline<ComponentConfig, AddedTransformer.Text> {
  AddedPipeline(PipelineComponents components) {
    super(
        new Kind(
            "added", ModelSettings.and(InputConfig.PROMPT, InputConfig.HEIGHT, InputConfig.WIDTH)),
        components,
        Needs.of("AddedTransformer").text("", Ability.STATES, Ability.MASK),
        config -> config);
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    Size size = PictureSizes.asked(input, 64);
    LatentShape latents = LatentShape.picture(4, size.height() / 8, size.width() / 8, 2);
    return GenerationRequest.of(input, size, latents, new Defaults(2, 1, 8, false));
  }

  @Override
  public TransformerSpec<AddedTransformer.Text> transformer(Placement placement) {
    return new AddedTransformer();
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return Captions.open(components().on(placement), share);
  }

  /** Opens it. */
  public static final class Provider extends PipelineClass {
    /** For {@link java.util.ServiceLoader}. */
    public Provider() {
      super(AddedPipeline::new, "AddedPipeline");
    }
  }
}
