package io.xfuser.models.video;

import io.xfuser.config.InputConfig;
import io.xfuser.models.contract.CostContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class VideoCostTest extends CostContract {
  @TempDir static Path directory;

  @Override
  protected Path directory() {
    return VideoPipelines.in(directory);
  }

  @Override
  protected InputConfig input() {
    return VideoPipelines.input();
  }

  @Override
  protected int width() {
    return VideoDiT.WIDTH;
  }

  @Override
  protected int textTokens() {
    return 20;
  }

  @Override
  protected int terms(int index) {
    return 2;
  }

  @Override
  protected int textTerms(int index) {
    return 2;
  }
}
