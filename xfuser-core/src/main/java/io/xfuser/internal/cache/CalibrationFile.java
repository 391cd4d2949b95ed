package io.xfuser.internal.cache;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineModel.Calibration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What {@code scripts/quality/calibrate} writes. */
final class CalibrationFile {
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private CalibrationFile() {}

  /**
   * What is in {@code file}.
   *
   * @throws ModelException in one sentence with the file
   */
  static Calibration read(Path file) {
    try {
      return JSON.readValue(Files.readAllBytes(file), Calibration.class);
    } catch (JacksonException e) {
      throw new ModelException(
          file + " is no calibration: it must have numbers under teacache or magcache", e);
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + e.getMessage(), e);
    }
  }
}
