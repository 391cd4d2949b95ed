package io.xfuser.internal.parallel.nccl;

import io.xfuser.torchscript.ElementType;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A communicator as all its ranks see it. A send completes only together with its receive, which is
 * the strictest that NCCL may be. Guarded by the simulation.
 */
final class SimulatedCommunicator {
  private final int size;
  private final Map<Integer, Integer> ranks = new HashMap<>(); // of the world, by place
  private final Map<String, Queue<Call>> waiting = new HashMap<>();
  private @Nullable String problem;

  SimulatedCommunicator(int size) {
    this.size = size;
  }

  /** What a rank calls. */
  enum Kind {
    SEND,
    RECEIVE,
    ALL_GATHER
  }

  /** One call of one rank; {@code peer} is that rank itself where all ranks take part. */
  static final class Call {
    final Kind kind;
    final int place;
    final int peer;
    final ElementType type;
    final long elements;
    final List<ByteBuffer> memory;
    final List<ByteBuffer> result;
    boolean done;

    Call(
        Kind kind,
        int[] places,
        ElementType type,
        long elements,
        List<ByteBuffer> memory,
        List<ByteBuffer> result) {
      this.kind = kind;
      this.place = places[0];
      this.peer = places[1];
      this.type = type;
      this.elements = elements;
      this.memory = memory;
      this.result = result;
    }

    private String amount() {
      return elements + " " + type.torchName();
    }
  }

  void join(int rank, int place, int ofRanks) {
    if (ofRanks != size) {
      problem = "a communicator of " + size + " and of " + ofRanks + " ranks";
    }
    if (ranks.put(place, rank) != null) {
      problem = "two ranks opened a communicator as rank " + place;
    }
  }

  boolean complete() {
    return ranks.size() == size;
  }

  @Nullable String problem() {
    return problem;
  }

  /** The kernel of {@code call} runs from now on. */
  void start(Call call) {
    queue(call.kind, call.place, call.peer).add(call);
    if (call.kind == Kind.ALL_GATHER) {
      gather();
    } else if (call.kind == Kind.SEND) {
      match(call.place, call.peer);
    } else {
      match(call.peer, call.place);
    }
  }

  private Queue<Call> queue(Kind kind, int place, int peer) {
    return waiting.computeIfAbsent(kind + " " + place + " " + peer, key -> new ArrayDeque<>());
  }

  private void match(int from, int to) {
    Queue<Call> sends = queue(Kind.SEND, from, to);
    Queue<Call> receives = queue(Kind.RECEIVE, to, from);
    while (!sends.isEmpty() && !receives.isEmpty()) {
      Call send = sends.remove();
      Call receive = receives.remove();
      if (send.type != receive.type || send.elements != receive.elements) {
        problem =
            "rank %d sends %s to rank %d, which receives %s"
                .formatted(ranks.get(from), send.amount(), ranks.get(to), receive.amount());
        return;
      }
      copy(send.memory, receive.result);
      send.done = true;
      receive.done = true;
    }
  }

  private void gather() {
    List<Call> calls = new ArrayList<>();
    for (int place = 0; place < size; place++) {
      Call next = queue(Kind.ALL_GATHER, place, place).peek();
      if (next == null) {
        return;
      }
      calls.add(next);
    }
    Call first = calls.get(0);
    for (Call call : calls) {
      queue(call.kind, call.place, call.place).remove();
      if (call.type != first.type || call.elements != first.elements) {
        problem =
            "rank %d gathers %s, but rank %d %s"
                .formatted(ranks.get(0), first.amount(), ranks.get(call.place), call.amount());
      }
    }
    if (problem == null) {
      for (Call call : calls) {
        ByteBuffer all = call.result.get(0).duplicate();
        calls.forEach(each -> each.memory.forEach(part -> all.put(part.duplicate())));
        call.done = true;
      }
    }
  }

  private static void copy(List<ByteBuffer> from, List<ByteBuffer> to) {
    for (int i = 0; i < from.size(); i++) {
      to.get(i).duplicate().put(from.get(i).duplicate());
    }
  }

  String describe(Call call) {
    return switch (call.kind) {
      case SEND -> "send of " + call.amount() + " to rank " + ranks.get(call.peer);
      case RECEIVE -> "receive of " + call.amount() + " from rank " + ranks.get(call.peer);
      case ALL_GATHER -> "all-gather of " + call.amount() + " among ranks " + ranks.values();
    };
  }
}
