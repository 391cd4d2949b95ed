package io.xfuser.models.internal.dit;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest.Prompts;
import io.xfuser.models.internal.LatentPipeline;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.Needs;
import io.xfuser.models.internal.PipelineClass;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.Collections;
import java.util.List;

/** A DiT directory ({@code DiTPipeline} in diffusers): a picture for each class label. */
final class DiTPipeline extends LatentPipeline<DiTConfig, DiTConditioning> {

  private static final Kind KIND = new Kind("dit", ModelSettings.and(InputConfig.CLASS_LABELS));

  DiTPipeline(PipelineComponents components) {
    super(KIND, components, needs(), DiTConfig::from);
  }

  private static Needs needs() {
    return Needs.of("DiTTransformer2DModel", "Transformer2DModel");
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    List<String> labels = input.classLabels().stream().map(this::checked).toList();
    int side = config().sampleSize();
    int pixels = side * vae().scale();
    GenerationRequest request =
        GenerationRequest.of(
                input,
                new GenerationRequest.Size(pixels, pixels),
                LatentShape.picture(config().inChannels(), side, side, config().patchSize()),
                new Defaults(50, 4, 0, false))
            .withPrompts(
                new Prompts(
                    labels,
                    Collections.nCopies(labels.size(), String.valueOf(DiTConfig.NULL_CLASS))));
    if (request.guided()) {
      checked(DiTConfig.NULL_CLASS);
    }
    return request;
  }

  /** The table has one row more than classes: that of the null class. */
  private String checked(int label) {
    if (label > config().classes()) {
      throw new ArgumentException(
          "class_labels has %d, which is outside 0 to %d, the rows of this model's table"
              .formatted(label, config().classes()));
    }
    return String.valueOf(label);
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.fromModelInput(super.scheduler(request));
  }

  @Override
  public TransformerSpec<DiTConditioning> transformer(Placement placement) {
    return new DiT(config(), weights(placement));
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new ClassLabels();
  }

  /** Opens DiT directories. */
  public static final class Provider extends PipelineClass {
    public Provider() {
      super(DiTPipeline::new, "DiTPipeline");
    }
  }
}
