package io.xfuser.internal.picture;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Pictures that are prompts: what is drawn, and what is not (arXiv 2308.06721). Where one of the
 * two is given, the other has something that stands for none, as the model has it.
 *
 * @param positive those that are given for what is drawn, for each adapter of the model
 * @param negative those for what is avoided, likewise
 * @param encoder whether the model has what sees them, and what stands for none
 * @param zeros whether zeros stand for none, as many as there are values of the other kind
 */
public record PicturePrompts(
    List<List<Bitmap>> positive, List<List<Bitmap>> negative, boolean encoder, boolean zeros) {
  /** For a model without adapters. */
  public static final PicturePrompts NONE = new PicturePrompts(List.of(), List.of(), false, false);

  /**
   * The name of what the pictures of the first adapter are seen as, (rows, pictures, …), diffusers'
   * own for it.
   */
  private static final String EMBEDS = "ip_adapter_image_embeds";

  public PicturePrompts {
    positive = List.copyOf(positive);
    negative = List.copyOf(negative);
  }

  /**
   * What {@code input} gives for a model with so many adapters: a picture for each, or all pictures
   * for one.
   *
   * @param encoder whether the model has what sees them
   * @throws ArgumentException with both numbers, if they are of neither kind; if nothing sees them;
   *     what {@link PictureFile#read} throws
   */
  public static PicturePrompts of(InputConfig input, int adapters, boolean encoder) {
    PicturePrompts pictures =
        new PicturePrompts(
            read(input, InputConfig.IP_ADAPTER_IMAGE, adapters),
            read(input, InputConfig.NEGATIVE_IP_ADAPTER_IMAGE, adapters),
            encoder,
            false);
    if (pictures.given() && !encoder) {
      throw new ArgumentException(
          "%s needs %s, with which the model is opened"
              .formatted(InputConfig.IP_ADAPTER_IMAGE, ModelConfig.IMAGE_ENCODER));
    }
    return pictures;
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

  /** The same where zeros stand for none. */
  public PicturePrompts withZeros() {
    return new PicturePrompts(positive, negative, encoder, true);
  }

  /** The same where no picture is given. */
  public PicturePrompts unseen() {
    List<List<Bitmap>> none = Collections.nCopies(adapters(), List.of());
    return new PicturePrompts(none, none, encoder, zeros);
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
    return name.startsWith(EMBEDS) || name.startsWith(InputConfig.NEGATIVE + EMBEDS);
  }

  /**
   * Refuses tensors in the place of pictures that leave it open what adapters see.
   *
   * @param given the names of all that are given
   * @throws ArgumentException if they are not one for each adapter, or beside pictures of the same
   *     kind, or if nothing makes what else is needed
   */
  public void require(Set<String> given, boolean guided) {
    require("", InputConfig.IP_ADAPTER_IMAGE, positive, given);
    require(InputConfig.NEGATIVE, InputConfig.NEGATIVE_IP_ADAPTER_IMAGE, negative, given);
    Set<String> needed = tensors(guided).keySet();
    if (!encoder
        && !zeros
        && given.stream().anyMatch(needed::contains)
        && !given.containsAll(needed)) {
      throw new ArgumentException(
          "%s must be given, or the model be opened with %s, which makes what stands for no picture"
              .formatted(
                  needed.stream().filter(name -> !given.contains(name)).findFirst().orElseThrow(),
                  ModelConfig.IMAGE_ENCODER));
    }
  }

  private void require(
      String prefix, Setting<?> setting, List<List<Bitmap>> pictures, Set<String> given) {
    List<String> names = IntStream.range(0, adapters()).mapToObj(i -> prefix + tensor(i)).toList();
    if (names.stream().noneMatch(given::contains)) {
      return;
    }
    if (pictures.stream().anyMatch(some -> !some.isEmpty())) {
      throw new ArgumentException(
          "%s stands for %s, and both are given".formatted(names.get(0), setting));
    }
    if (!given.containsAll(names)) {
      throw new ArgumentException(
          "there must be one of %s for each of %d %s"
              .formatted(String.join(", ", names), adapters(), ModelConfig.IP_ADAPTER));
    }
  }

  /** The tensors that a request needs, by their names, with the pictures of which they are made. */
  public Map<String, List<Bitmap>> tensors(boolean guided) {
    Map<String, List<Bitmap>> all = new TreeMap<>();
    for (int i = 0; i < adapters(); i++) {
      all.put(tensor(i), positive.get(i));
      if (guided) {
        all.put(InputConfig.NEGATIVE + tensor(i), negative.get(i));
      }
    }
    return all;
  }
}
