package io.xfuser.internal.cache;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.model.PipelineModel.Calibration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What {@code scripts/quality/calibrate} writes. */
public final class CalibrationFile {
  private static final Predicate<Double> FINITE = Double::isFinite;
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private CalibrationFile() {}

  /**
   * What is in {@code file}.
   *
   * @throws ModelException in one sentence with the file
   */
  public static Calibration read(Path file) {
    try {
      Calibration read = JSON.readValue(Files.readAllBytes(file), Calibration.class);
      if (read == null || read.equals(Calibration.NONE) || !numbers(read).allMatch(FINITE)) {
        throw new ModelException(none(file));
      }
      return read;
    } catch (JacksonException e) {
      throw new ModelException(none(file), e);
    } catch (IOException e) {
      throw new ModelException(named(file) + " cannot be read: " + Reason.of(e), e);
    }
  }

  private static String named(Path file) {
    return ModelConfig.CACHE_CALIBRATION + " " + file;
  }

  private static String none(Path file) {
    return named(file) + " is no calibration: it must have numbers under teacache or magcache";
  }

  private static Stream<Double> numbers(Calibration calibration) {
    return Stream.of(calibration.polynomial(), calibration.ratios()).flatMap(List::stream);
  }
}
