package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.ReadBytes;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.weights.ComponentConfig;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** What sees pictures that are prompts: an encoder of the class that {@code image_encoder} has. */
public final class Eyes {
  private static final String SIGLIP = "siglip"; // begins the model_type of all of its kind

  /** What says how pictures are prepared. */
  public static final String VIEW = ClipView.FILE;

  private Eyes() {}

  /** Opens the pipeline's. */
  public static PictureEncoder open(PipelineComponents components) {
    return open(components, EncoderFolder.of(components, ClipPictures.ENCODER));
  }

  /**
   * Makes sure that it can be opened, without reading weights.
   *
   * @param width of what a picture is seen as, as an adapter has it
   * @return bytes of the weights
   * @throws ModelException naming what is missing, not supported or of another width
   */
  public static long check(PipelineComponents components, long width) {
    AtomicLong bytes = new AtomicLong();
    EncoderFolder folder = EncoderFolder.of(components, ClipPictures.ENCODER).onTrial();
    try (PictureEyes tried = ReadBytes.told(bytes::set, () -> open(components, folder))) {
      TextSizes.Width own = tried.width();
      if (own.value() != width) {
        throw new ModelException(
            "%s has %s %d, but the adapter takes %d values of a picture"
                .formatted(folder.config().origin(), own.setting(), own.value(), width));
      }
      return bytes.get();
    }
  }

  private static PictureEyes open(PipelineComponents components, EncoderFolder folder) {
    ComponentConfig view = components.config(ClipPictures.PROCESSOR, ClipView.FILE);
    return components.className(ClipPictures.ENCODER).equals(SiglipPictures.CLASS)
        ? new SiglipPictures(folder, SiglipView.of(view))
        : ClipPictures.projecting(folder, ClipView.of(view));
  }

  /** The class of an encoder that has these settings. */
  public static String className(ComponentConfig settings) {
    return settings.getString("model_type", "").startsWith(SIGLIP)
        ? SiglipPictures.CLASS
        : ClipPictures.PROJECTING;
  }

  /** Whether diffusers reads how pictures are prepared in the folder of an encoder like this. */
  public static boolean bringsView(ComponentConfig settings) {
    return className(settings).equals(SiglipPictures.CLASS);
  }

  /** The class of what prepares pictures for an encoder with these settings. */
  public static String viewClass(ComponentConfig settings) {
    return bringsView(settings) ? SiglipView.CLASS : ClipView.CLASS;
  }

  /** What prepares pictures for an encoder with these settings, as published. */
  public static Map<String, Object> view(ComponentConfig settings) {
    boolean siglip = bringsView(settings);
    ComponentConfig own =
        settings.part("vision_config", siglip ? "siglip_vision_model" : "clip_vision_model");
    int side = own.getInt("image_size", 224);
    return siglip ? SiglipView.file(side) : ClipPictures.processor(side);
  }
}
