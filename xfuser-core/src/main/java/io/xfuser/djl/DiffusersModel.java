package io.xfuser.djl;

import ai.djl.BaseModel;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What DJL holds of an open pipeline: its name, and how it is closed. It has no block. */
final class DiffusersModel extends BaseModel {
  private final XDiTParallel ranks;

  DiffusersModel(Path directory, @Nullable String name, XDiTParallel ranks) {
    super(name == null ? directory.toAbsolutePath().normalize().getFileName().toString() : name);
    this.ranks = ranks;
    this.manager = Torch.newManager();
    setModelDir(directory);
  }

  @Override
  public void load(Path path, @Nullable String prefix, @Nullable Map<String, ?> options) {
    throw new UnsupportedOperationException("the pipeline is open already");
  }

  @Override
  public void close() {
    ranks.close();
    super.close();
  }
}
