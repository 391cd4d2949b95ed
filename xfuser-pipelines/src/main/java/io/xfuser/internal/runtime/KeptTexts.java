package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.TextEncoder.TextOptions;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Prompts;
import io.xfuser.nn.Range;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Text tensors as they came out of the encoders in one place: those that were used last, up to so
 * many bytes. The requests of all threads there share them.
 */
public final class KeptTexts implements AutoCloseable {
  private final long most;
  private final Map<Key, Kept> all = new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true);
  private long bytes;

  /** None yet, and never more than {@code most} bytes. */
  public KeptTexts(long most) {
    this.most = most;
  }

  /**
   * All that text tensors depend on. Sums over shares of an encoder differ in their last bits from
   * those of the whole.
   *
   * @param encoder the encoders' place and LoRAs
   * @param shares how many of the encoder there are
   */
  record Key(
      Placement encoder,
      int shares,
      Prompts prompts,
      int imagesPerPrompt,
      Range images,
      TextOptions options) {
    static Key of(Placement encoder, Share share, TextRequest request) {
      return new Key(
          encoder,
          share.parts(),
          request.prompts(),
          request.imagesPerPrompt(),
          request.images(),
          request.options());
    }
  }

  private record Kept(NDManager owner, Map<String, NDArray> tensors, long bytes) {}

  /** The tensors by name, for {@code owner}; null if they are not here. */
  synchronized @Nullable Map<String, NDArray> get(NDManager owner, Key key) {
    Kept kept = all.get(key);
    if (kept == null) {
      return null;
    }
    Map<String, NDArray> tensors = new HashMap<>();
    kept.tensors().forEach((name, tensor) -> tensors.put(name, Torch.alias(owner, tensor)));
    return tensors;
  }

  /**
   * Keeps copies of {@code tensors}, if they are not too many bytes, in the place of older ones.
   */
  synchronized void put(Key key, Map<String, NDArray> tensors) {
    long more = tensors.values().stream().mapToLong(ElementType::bytesOf).sum();
    if (more > most || all.containsKey(key)) {
      return;
    }
    Iterator<Kept> oldest = all.values().iterator();
    while (bytes + more > most) {
      Kept left = oldest.next();
      oldest.remove();
      left.owner().close();
      bytes -= left.bytes();
    }
    NDManager owner = Torch.newManager();
    Map<String, NDArray> copies = new HashMap<>(); // what is a view would keep more than itself
    tensors.forEach((name, tensor) -> copies.put(name, Torch.copy(owner, tensor)));
    all.put(key, new Kept(owner, copies, more));
    bytes += more;
  }

  /** Whether there is room for any. */
  boolean keepsAny() {
    return most > 0;
  }

  synchronized long bytes() {
    return bytes;
  }

  @Override
  public synchronized void close() {
    all.values().forEach(kept -> kept.owner().close());
    all.clear();
    bytes = 0;
  }
}
