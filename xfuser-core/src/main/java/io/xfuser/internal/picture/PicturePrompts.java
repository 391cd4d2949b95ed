package io.xfuser.internal.picture;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Pictures that are prompts: what is drawn, and what is not (arXiv 2308.06721). Where one of the
 * two is given, the other has something that stands for none, as the model has it.
 *
 * @param positive those that are given for what is drawn, for each adapter of the model
 * @param negative those for what is avoided, likewise
 */
public record PicturePrompts(List<List<Bitmap>> positive, List<List<Bitmap>> negative) {
  /** For a model without adapters. */
  public static final PicturePrompts NONE = new PicturePrompts(List.of(), List.of());

  /**
   * The name of what the pictures of the first adapter are seen as, (rows, pictures, …), diffusers'
   * own for it.
   */
  private static final String EMBEDS = "ip_adapter_image_embeds";

  /** The prefix of those of what is avoided, as of texts'. */
  private static final String NEGATIVE = "negative_";

  /** Copies the lists. */
  public PicturePrompts {
    positive = List.copyOf(positive);
    negative = List.copyOf(negative);
  }

  /**
   * What {@code input} gives for a model with so many adapters: a picture for each, or all pictures
   * for one.
   *
   * @throws ArgumentException with both numbers, if they are of neither kind; what {@link
   *     PictureFile#read} throws
   */
  public static PicturePrompts of(InputConfig input, int adapters) {
    return new PicturePrompts(
        read(input, InputConfig.IP_ADAPTER_IMAGE, adapters),
        read(input, InputConfig.NEGATIVE_IP_ADAPTER_IMAGE, adapters));
  }

  private static List<List<Bitmap>> read(
      InputConfig input, Setting<List<Picture>> setting, int adapters) {
    List<Bitmap> all =
        input.listed(setting).stream()
            .map(picture -> PictureFile.read(setting.name(), picture))
            .toList();
    if (!all.isEmpty() && adapters == 0) {
      throw new ArgumentException(
          "%s needs %s, with which the model is opened".formatted(setting, ModelConfig.IP_ADAPTER));
    }
    if (adapters == 1) {
      return List.of(all);
    }
    if (!all.isEmpty() && all.size() != adapters) {
      throw new ArgumentException(
          "there must be a picture for each of %d %s, but there are %d of %s"
              .formatted(adapters, ModelConfig.IP_ADAPTER, all.size(), setting));
    }
    return all.isEmpty()
        ? Collections.nCopies(adapters, List.of())
        : all.stream().map(List::of).toList();
  }

  /** How many adapters see pictures. */
  public int adapters() {
    return positive.size();
  }

  /** Whether there is a picture. */
  public boolean given() {
    return Stream.of(positive, negative)
        .flatMap(List::stream)
        .anyMatch(pictures -> !pictures.isEmpty());
  }

  /**
   * What tensors are called that adapter {@code number}, counted from 0, is given of the pictures:
   * {@code ip_adapter_image_embeds}, of the second one {@code ip_adapter_image_embeds_2}.
   */
  public static String tensor(int number) {
    return number == 0 ? EMBEDS : EMBEDS + "_" + (number + 1);
  }

  /** Whether the tensor {@code name} is one of those, of either kind. */
  public static boolean isTensor(String name) {
    return name.startsWith(EMBEDS) || name.startsWith(NEGATIVE + EMBEDS);
  }

  /** The tensors that a request needs, by their names, with the pictures of which they are made. */
  public Map<String, List<Bitmap>> tensors(boolean guided) {
    Map<String, List<Bitmap>> all = new TreeMap<>();
    for (int i = 0; i < adapters(); i++) {
      all.put(tensor(i), positive.get(i));
      if (guided) {
        all.put(NEGATIVE + tensor(i), negative.get(i));
      }
    }
    return all;
  }
}
