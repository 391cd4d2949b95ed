package io.xfuser.models.internal.weights;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.FileName;
import java.nio.file.Path;

/** Names in headers, which may be anybody's and are shown in messages. */
final class TensorName {
  private static final int LONGEST = 500;

  private TensorName() {}

  /** {@code name} of {@code file}; refused if it is none that could be shown. */
  static String checked(Path file, String name) {
    if (name.length() > LONGEST || name.chars().anyMatch(Character::isISOControl)) {
      throw new ModelException(
          file + " has a header with the name \"" + FileName.shown(name) + "\"");
    }
    return name;
  }
}
