package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.models.internal.adapter.Adapters;
import io.xfuser.models.internal.scheduler.LoopVariants;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.text.Eyes;
import io.xfuser.progress.Progress;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import java.util.Optional;
import java.util.function.Function;

/**
 * A pipeline of rectified flows, whose noise levels are shifted by the size of the picture.
 *
 * @param <T> the transformer's settings
 * @param <C> the transformer's conditioning
 */
public abstract class FlowPipeline<T, C> extends LatentPipeline<T, C> {
  private static final int TRIED_TOKENS = 1024; // of a request that is only tried

  private final Adapters adapters;
  private long eyesBytes;

  /** As {@link LatentPipeline}'s. */
  protected FlowPipeline(
      Kind kind, PipelineComponents components, Needs needs, Function<ComponentConfig, T> reading) {
    super(kind, components, needs, reading);
    adapters = Adapters.of(components);
  }

  /** The adapters by which pictures are prompts; often none. */
  protected final Adapters adapters() {
    return adapters;
  }

  /**
   * Refuses an encoder of such pictures, if there is one, that an adapter does not take.
   *
   * @param seen width of what the adapter takes of a picture
   * @throws io.xfuser.failure.ModelException naming both widths, or what else is wrong with it
   */
  protected final void checkEyes(long seen) {
    if (components().has(ClipPictures.ENCODER)) {
      eyesBytes = Eyes.check(components(), seen);
    }
  }

  @Override
  public final Optional<PictureEncoder> pictureEncoder(Placement placement) {
    return adapters.all().isEmpty() || !components().has(ClipPictures.ENCODER)
        ? Optional.empty()
        : Optional.of(Eyes.open(components().on(placement)));
  }

  @Override
  public long bytes(Progress.Component component) {
    long own = super.bytes(component);
    return switch (component) {
      case TRANSFORMER -> own + adapters.bytes();
      case PICTURE_ENCODER -> eyesBytes;
      case TEXT_ENCODER, DECODER, ENCODER -> own;
    };
  }

  @Override
  public void close() {
    adapters.close();
    super.close();
  }

  /** What a picture of {@code tokens} asks of its scheduler. */
  protected abstract SchedulerRequest schedule(int steps, int tokens);

  @Override
  protected final SchedulerRequest usualRequest() {
    return schedule(TRIED_STEPS, TRIED_TOKENS);
  }

  @Override
  protected final boolean shifts() {
    return true;
  }

  /** These loops hand the model unscaled samples, whatever the scheduler. */
  @Override
  public Scheduler scheduler(SchedulerRequest request) {
    return LoopVariants.unscaled(super.scheduler(request));
  }

  /**
   * {@code request} with what {@code loop} makes of its picture, if it has one.
   *
   * @throws ArgumentException if there is no encoder, or a scheduler that noises no pictures
   */
  protected final GenerationRequest begun(GenerationRequest request, PictureLoop loop) {
    if (request.input().image() == null) {
      return request;
    }
    if (!scheduler(request.scheduler()).noisesPictures()) {
      throw new ArgumentException(
          "%s: pictures to start from need FlowMatchEulerDiscreteScheduler, but _class_name is %s"
              .formatted(
                  schedulerConfig().origin(), schedulerConfig().className().orElse("missing")));
    }
    autoencoder().checkEncoder();
    return loop.begin(prescribed(request), vae().draws());
  }

  /**
   * Refuses a request without what the pipeline of the directory's class cannot do without.
   *
   * @throws ArgumentException naming it
   */
  protected final void requirePictures(InputConfig input) {
    String pipeline = components().index().getString("_class_name");
    boolean masks = pipeline.contains("Inpaint") || pipeline.contains("Fill");
    if ((masks || pipeline.contains("Img2Img")) && input.image() == null) {
      throw new ArgumentException(pipeline + " needs " + InputConfig.IMAGE);
    }
    if (masks && input.maskImage() == null) {
      throw new ArgumentException(pipeline + " needs " + InputConfig.MASK_IMAGE);
    }
  }
}
