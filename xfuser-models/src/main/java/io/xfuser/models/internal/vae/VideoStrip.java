package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A strip of a video whose frames pass some at a time. Layers that look back leave here what the
 * next frames will see of these: diffusers' feature cache. To be used by one thread.
 */
final class VideoStrip implements Strip, AutoCloseable {
  private final Strip rows;
  private final NDManager owner;
  private final IdentityHashMap<Layer, NDArray> kept = new IdentityHashMap<>();
  private boolean first = true;
  private @Nullable NDArray entered;

  /** With no frame passed; {@code rows} are shared with other strips. */
  VideoStrip(NDManager owner, Strip rows) {
    this.owner = owner.newSubManager();
    this.rows = rows;
  }

  /** Whether the frames that pass on {@code strip} are the first: pictures always are. */
  static boolean isFirst(Strip strip) {
    return !(strip instanceof VideoStrip video) || video.first;
  }

  /** {@code frames} (F, c, h, w) begin to pass. */
  void enter(NDArray frames) {
    entered = frames;
  }

  /** What the frames were that pass, before all layers. */
  NDArray entered() {
    return Objects.requireNonNull(entered, "no frame has begun to pass");
  }

  /** The frames that passed are not the last. */
  void next() {
    first = false;
    entered = null;
  }

  /** What {@code layer} left; nothing if it left nothing yet. */
  List<NDArray> before(Layer layer) {
    NDArray left = kept.get(layer);
    return left == null ? List.of() : List.of(left);
  }

  /** Keeps a copy of the last {@code count} of {@code frames} (F, C, H, W) for {@code layer}. */
  void keep(Layer layer, NDArray frames, int count) {
    long all = frames.getShape().get(0);
    try (NDManager scope = owner.newSubManager()) {
      NDArray last = Torch.slice(scope, frames, 0, all - count, all);
      NDArray old = kept.put(layer, Torch.copy(owner, last));
      if (old != null) {
        old.close();
      }
    }
  }

  /** Keeps {@code all} itself for {@code layer}, in the place of what it left before. */
  void keepAll(Layer layer, NDArray all) {
    NDArray old = kept.put(layer, Torch.alias(owner, all));
    if (old != null) {
      old.close();
    }
  }

  @Override
  public void close() {
    owner.close();
  }

  @Override
  public int index() {
    return rows.index();
  }

  @Override
  public int count() {
    return rows.count();
  }

  @Override
  public boolean isWhole() {
    return rows.isWhole();
  }

  @Override
  public Edges halo(NDArray x) {
    return rows.halo(x);
  }

  @Override
  public NDArray gather(NDManager manager, NDArray x, int dim) {
    return rows.gather(manager, x, dim);
  }

  @Override
  public void deliver(NDArray x) {
    rows.deliver(x);
  }

  @Override
  public NDArray collect(NDManager manager, int from) {
    return rows.collect(manager, from);
  }
}
