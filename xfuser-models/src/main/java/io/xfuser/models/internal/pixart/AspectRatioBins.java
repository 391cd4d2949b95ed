package io.xfuser.models.internal.pixart;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.failure.Retried;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.models.internal.ResolutionBins;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The sizes that PixArt was trained on, by aspect ratio; {@code aspect_ratio_bins.json} has the
 * tables of diffusers' PixArt pipelines.
 */
final class AspectRatioBins {
  private static final Retried<Map<String, Map<String, List<Integer>>>> TABLES =
      new Retried<>(AspectRatioBins::read);

  private AspectRatioBins() {}

  /**
   * The trained size nearest in aspect ratio.
   *
   * @param sampleSize the transformer's, in latents; an eighth of the table's resolution
   * @throws IllegalArgumentException if there is no table for {@code sampleSize}
   */
  static Size nearest(int sampleSize, int height, int width) {
    Map<String, List<Integer>> table = TABLES.get().get(String.valueOf(sampleSize * 8));
    if (table == null) {
      throw new ArgumentException(
          "there are no resolution bins for a sample size of "
              + sampleSize
              + " latents (only for 32, 64, 128 and 256); set use_resolution_binning false");
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
