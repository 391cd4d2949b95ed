package io.xfuser.models.video;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.ParallelContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Three axes, and texts of unequal length, by every strategy. */
class VideoContractTest extends ParallelContract {
  @TempDir static Path directory;

  @Override
  protected Path directory() {
    return VideoPipelines.in(directory);
  }

  @Override
  protected InputConfig input() {
    return VideoPipelines.input().toBuilder().numInferenceSteps(STEPS).build();
  }
}
