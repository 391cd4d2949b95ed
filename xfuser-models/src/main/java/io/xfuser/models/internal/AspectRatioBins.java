package io.xfuser.models.internal;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Retried;
import io.xfuser.model.GenerationRequest.Size;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The sizes that some models were trained on, by aspect ratio; {@code aspect_ratio_bins.json} has
 * the tables of diffusers' PixArt and SANA pipelines.
 */
public final class AspectRatioBins {
  private static final Retried<Map<String, Map<String, List<Integer>>>> TABLES =
      new Retried<>(AspectRatioBins::read);

  private AspectRatioBins() {}

  /**
   * The trained size nearest in aspect ratio.
   *
   * @param side rows and columns of the square pictures of a table
   * @param origin what has no other size, for the message
   * @throws IllegalArgumentException if there is no table for {@code side}
   */
  public static Size nearest(int side, int height, int width, String origin) {
    Map<String, List<Integer>> table = TABLES.get().get(String.valueOf(side));
    if (table == null) {
      throw new ArgumentException(
          "there are no resolution bins for %s, %d x %d pixels; set use_resolution_binning false"
              .formatted(origin, side, side));
    }
    List<ResolutionBins.Bin> bins = new ArrayList<>();
    table.forEach(
        (ratio, size) ->
            bins.add(
                new ResolutionBins.Bin(
                    Double.parseDouble(ratio), List.of(new Size(size.get(0), size.get(1))))));
    return new ResolutionBins(bins).nearest((double) height / width, (long) height * width);
  }

  private static Map<String, Map<String, List<Integer>>> read() {
    try (InputStream in = AspectRatioBins.class.getResourceAsStream("aspect_ratio_bins.json")) {
      return new ObjectMapper().readValue(Objects.requireNonNull(in), new TypeReference<>() {});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
