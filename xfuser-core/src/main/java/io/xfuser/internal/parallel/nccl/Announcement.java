package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What a message consists of, as its sender tells over the transport beneath: the receiver can then
 * allocate and post exactly what will come. Tensors that NCCL does not carry come with it.
 *
 * @param entries the message's tensors
 * @param id the unique id of the communicator that this message is the first on, if it is one
 */
record Announcement(List<Entry> entries, @Nullable String id) {
  /**
   * A tensor of the message.
   *
   * @param type its elements
   * @param shape its dimensions
   * @param here the tensor, if NCCL does not carry it
   */
  record Entry(ElementType type, List<Long> shape, @Nullable NDArray here) {
    long elements() {
      return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    long[] dimensions() {
      return shape.stream().mapToLong(Long::longValue).toArray();
    }
  }

  static Announcement of(List<NDArray> tensors, Predicate<NDArray> carried, @Nullable String id) {
    List<Entry> entries =
        tensors.stream()
            .map(
                x ->
                    new Entry(
                        ElementType.of(x),
                        LongStream.of(x.getShape().getShape()).boxed().toList(),
                        carried.test(x) ? null : x))
            .toList();
    return new Announcement(entries, id);
  }

  /** Whether NCCL carries some of the tensors. */
  boolean carried() {
    return entries.stream().anyMatch(entry -> entry.here() == null);
  }

  /**
   * Whether the same message may come again without being announced: nothing comes along with it,
   * and it is none that only says that a rank is there.
   */
  boolean repeatable() {
    return !entries.isEmpty() && entries.stream().allMatch(entry -> entry.here() == null);
  }

  /** What the entries are, but for tensors that come along. */
  List<Long> numbers() {
    List<Long> numbers = new ArrayList<>(List.of((long) entries.size()));
    for (Entry entry : entries) {
      numbers.add(entry.here() == null ? 1L : 0L);
      numbers.add((long) entry.type().scalarType());
      numbers.add((long) entry.shape().size());
      numbers.addAll(entry.shape());
    }
    return numbers;
  }

  /**
   * As a message of tensors on the CPU: numbers, the id if there is one, the tensors not carried.
   *
   * @param mark by which the receiver knows that this is the message it awaits; not negative
   */
  List<NDArray> message(NDManager owner, long mark) {
    List<Long> numbers = new ArrayList<>(List.of(mark, id == null ? 0L : 1L));
    numbers.addAll(numbers());
    List<NDArray> message = new ArrayList<>(List.of(tensor(owner, numbers)));
    if (id != null) {
      message.add(tensor(owner, id));
    }
    entries.stream().map(Entry::here).filter(x -> x != null).forEach(message::add);
    return message;
  }

  static NDArray tensor(NDManager owner, List<Long> numbers) {
    NDArray words = Torch.empty(owner, ElementType.INT64, numbers.size());
    Torch.memory(words).asLongBuffer().put(numbers.stream().mapToLong(Long::longValue).toArray());
    return words;
  }

  /** The numbers of a message's first tensor. */
  static List<Long> numbers(List<NDArray> message) {
    LongBuffer words = Torch.memory(message.get(0)).asLongBuffer();
    long[] numbers = new long[words.remaining()];
    words.get(numbers);
    return LongStream.of(numbers).boxed().toList();
  }

  /** Reads a {@link #message}. */
  static Announcement read(List<NDArray> message) {
    LongBuffer words = Torch.memory(message.get(0)).asLongBuffer();
    words.get(); // the mark
    int next = 1;
    String id = words.get() == 0 ? null : id(message.get(next++));
    List<Entry> entries = new ArrayList<>();
    for (long left = words.get(); left > 0; left--) {
      boolean carried = words.get() == 1;
      ElementType type = type(words.get());
      List<Long> shape = new ArrayList<>();
      for (long dimensions = words.get(); dimensions > 0; dimensions--) {
        shape.add(words.get());
      }
      entries.add(new Entry(type, List.copyOf(shape), carried ? null : message.get(next++)));
    }
    return new Announcement(entries, id);
  }

  private static ElementType type(long scalarType) {
    return Arrays.stream(ElementType.values())
        .filter(type -> type.scalarType() == scalarType)
        .findFirst()
        .orElseThrow();
  }

  /** A unique id as a tensor of bytes. */
  static NDArray tensor(NDManager owner, String id) {
    byte[] bytes = id.getBytes(StandardCharsets.ISO_8859_1);
    NDArray tensor = Torch.empty(owner, ElementType.UINT8, bytes.length);
    Torch.memory(tensor).put(bytes);
    return tensor;
  }

  /** The id that a {@link #tensor} holds. */
  static String id(NDArray tensor) {
    return StandardCharsets.ISO_8859_1.decode(Torch.memory(tensor)).toString();
  }
}
