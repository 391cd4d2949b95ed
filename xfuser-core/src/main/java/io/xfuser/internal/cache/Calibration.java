package io.xfuser.internal.cache;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What has been measured of a model once, for step caches.
 *
 * @param polynomial TeaCache's, the highest power first: it makes of the relative change of the
 *     first block's modulated input that of the prediction; empty = not known
 * @param ratios MagCache's: how large the residual of each step is beside that of the step before,
 *     the first one's 1; for another number of steps the nearest ones count; empty = not known
 */
public record Calibration(
    @JsonProperty("teacache") List<Double> polynomial,
    @JsonProperty("magcache") List<Double> ratios) {
  /** Nothing known. */
  public static final Calibration NONE = new Calibration(List.of(), List.of());

  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /** Copies; null is empty. */
  public Calibration(@Nullable List<Double> polynomial, @Nullable List<Double> ratios) {
    this.polynomial = List.copyOf(Objects.requireNonNullElse(polynomial, List.of()));
    this.ratios = List.copyOf(Objects.requireNonNullElse(ratios, List.of()));
  }

  /**
   * Reads {@code file}, or has {@code published} where there is none.
   *
   * @throws ModelException in one sentence with the file
   */
  static Calibration of(@Nullable Path file, Calibration published) {
    if (file == null) {
      return published;
    }
    try {
      return JSON.readValue(Files.readAllBytes(file), Calibration.class);
    } catch (JacksonException | NullPointerException e) {
      throw new ModelException(
          file + " is no calibration: it must have numbers under teacache or magcache", e);
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** The polynomial's value. */
  double rescaled(double change) {
    double value = 0;
    for (double coefficient : polynomial) {
      value = value * change + coefficient;
    }
    return value;
  }

  /** The ratio of step {@code t} of so many. */
  double ratio(int t, int steps) {
    int last = ratios.size() - 1;
    if (steps == ratios.size() || steps == 1) {
      return ratios.get(Math.min(t, last));
    }
    return ratios.get((int) Math.rint(t * (double) last / (steps - 1)));
  }

  /** Refuses {@code method} where what it needs is not known. */
  void require(boolean known, String method) {
    if (!known) {
      throw new ArgumentException(
          method
              + " is not calibrated for this model: scripts/quality/calibrate writes a"
              + " cache_calibration for it, and fbcache, easycache and taylorseer need none");
    }
  }
}
