package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.ElementType;

/**
 * The most bytes of tensors that one rank held in one request, of all that were open whenever it
 * was read. Belongs to one thread.
 */
final class TensorGauge {
  private final NDManager request;
  private long peakBytes;
  private long attentionBytes;

  /** Of what {@code request} owns, and managers made of it. */
  TensorGauge(NDManager request) {
    this.request = request;
  }

  /** Counts what is open now. */
  void read() {
    long open = request.getManagedArrays().stream().mapToLong(ElementType::bytesOf).sum();
    peakBytes = Math.max(peakBytes, open);
  }

  /** The same attention, after which the gauge is read. */
  Attention watch(Attention attention) {
    return new Attention() {
      @Override
      public NDArray attend(NDManager owner, Qkv qkv) {
        NDArray values = attention.attend(owner, qkv); // (B, T + l, H, D)
        long bytes = ElementType.bytesOf(qkv.packed()) + ElementType.bytesOf(values);
        attentionBytes = Math.max(attentionBytes, bytes);
        read();
        return values;
      }

      @Override
      public long bufferBytes() {
        return attention.bufferBytes();
      }
    };
  }

  /** The most bytes that were open at once. */
  long peakBytes() {
    return peakBytes;
  }

  /** The most bytes of queries, keys and values that an attention took, and of values it gave. */
  long attentionBytes() {
    return attentionBytes;
  }
}
