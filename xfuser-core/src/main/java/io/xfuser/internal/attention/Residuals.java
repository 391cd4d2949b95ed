package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Tells how keys and values have changed since they were told, in few bits (CompactFusion, arXiv
 * 2507.17511). Every rank, the sender too, keeps what the receivers know, and the next change is
 * counted from there: what a message left out is in the next one (error feedback). A rank's first
 * messages tell the whole.
 */
final class Residuals implements RingMessages {
  private static final Program PROGRAM = Program.load(Residuals.class, "residuals.py");

  private final NDManager request;
  private final int bits;
  private final int whole;
  private final Map<Integer, Known> known = new TreeMap<>(); // by rank
  private int told;

  /** What all know of one rank. */
  private record Known(NDManager owner, NDArray kv) {}

  /**
   * With nothing told.
   *
   * @param request owns what is kept
   * @param bits of an element, 1, 2 or 4
   * @param whole how many messages tell the whole, at least one
   */
  Residuals(NDManager request, int bits, int whole) {
    this.request = request;
    this.bits = bits;
    this.whole = Math.max(1, whole);
  }

  @Override
  public List<NDArray> of(NDManager owner, NDArray kv, int own) {
    Known before = known.get(own);
    List<NDArray> message =
        before == null || told < whole || !before.kv().getShape().equals(kv.getShape())
            ? List.of(kv)
            : PROGRAM.callList(owner, "encoded", kv, before.kv(), bits);
    told++;
    read(owner, message, own);
    return message;
  }

  @Override
  public NDArray read(NDManager owner, List<NDArray> message, int rank) {
    NDManager next = request.newSubManager();
    Known before = known.get(rank);
    NDArray kv =
        message.size() == 1
            ? Torch.alias(next, message.get(0))
            : PROGRAM.call(next, "decoded", Objects.requireNonNull(before).kv(), message, bits);
    known.put(rank, new Known(next, kv));
    if (before != null) {
      before.owner().close();
    }
    return kv;
  }

  @Override
  public long bytes() {
    return known.values().stream().mapToLong(each -> ElementType.bytesOf(each.kv())).sum();
  }
}
