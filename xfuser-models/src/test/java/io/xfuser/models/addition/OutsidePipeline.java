package io.xfuser.models.addition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Range;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.Map;
import java.util.Set;

/** A pipeline of public types alone, which reads weights of the directory that it is given. */
record OutsidePipeline(PipelineComponents components)
    implements PipelineModel<AddedTransformer.Text> {
  static final String BIAS = "decoder.conv_out.bias";

  @Override
  public String name() {
    return "outside";
  }

  @Override
  public GenerationRequest resolve(InputConfig input) {
    LatentShape latents = LatentShape.picture(4, 8, 8, 2);
    return GenerationRequest.of(input, new Size(64, 64), latents, new Defaults(2, 1, 8, false));
  }

  @Override
  public TransformerSpec<AddedTransformer.Text> transformer(Placement placement) {
    return new AddedTransformer();
  }

  @Override
  public TextEncoder textEncoder(Placement placement, Share share) {
    return new Lengths();
  }

  /** Adds what the last two colours of the file's bias have between them. */
  @Override
  public VaeDecoder vaeDecoder(Placement placement) {
    try (PipelineComponents.Weights weights = components.on(placement).weights("vae");
        NDManager scope = Torch.newManager()) {
      long[] shape = weights.shape(BIAS);
      NDArray whole = Torch.alias(scope, weights.get(scope, BIAS, shape));
      NDArray part = Torch.alias(scope, weights.get(scope, 0, new Range(1, 3), BIAS, shape));
      return new AddedDecoder(part.sum().sub(whole.sum()).getFloat());
    }
  }

  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return new AddedScheduler(request.steps());
  }

  @Override
  public void close() {
    // holds nothing
  }

  /** A text is as many numbers as it has letters. */
  private record Lengths() implements TextEncoder {
    @Override
    public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
      return request.perPrompt(
          owner,
          (scope, texts, all) ->
              Map.of(
                  "prompt_embeds",
                  scope.create(new float[] {texts.of(0).get(0).length() / 10f}).reshape(1, 1, 1)));
    }

    @Override
    public long parameterBytes() {
      return 0;
    }

    @Override
    public void close() {
      // holds nothing
    }
  }

  /** Opens it. */
  public static final class Provider implements PipelineProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("OutsidePipeline");
    }

    @Override
    public PipelineModel<?> open(PipelineComponents components) {
      return new OutsidePipeline(components);
    }
  }
}
