package io.xfuser.internal.report;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Text between ranks, as tensors of UTF-8 bytes. */
public final class Texts {
  private Texts() {}

  /** The texts of rank 0, on every rank. */
  public static List<String> broadcast(NDManager owner, Communicator ranks, List<String> texts) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> tensors = texts.stream().map(text -> encode(scope, text)).toList();
      return ranks.broadcast(scope, tensors, 0).stream().map(Texts::decode).toList();
    }
  }

  /** All ranks' texts in order of rank, on every rank. */
  static List<String> allGather(NDManager owner, Communicator ranks, String text) {
    try (NDManager scope = owner.newSubManager()) {
      List<String> all = new ArrayList<>();
      for (NDArray tensor : ranks.startAllGather(encode(scope, text)).await(scope)) {
        all.add(decode(tensor));
      }
      return all;
    }
  }

  private static NDArray encode(NDManager owner, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    NDArray tensor = Torch.empty(owner, ElementType.UINT8, bytes.length);
    Torch.memory(tensor).put(bytes);
    return tensor;
  }

  private static String decode(NDArray tensor) {
    ByteBuffer memory = Torch.memory(tensor);
    byte[] bytes = new byte[memory.remaining()];
    memory.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
