package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Exchange;
import io.xfuser.internal.parallel.Group;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.nccl.GroupRounds.Turn;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Rounds of a group by NCCL. Every message is announced over the transport beneath, unless its
 * round repeats one of an earlier step ({@link GroupRounds}); then each rank knows what will come,
 * and enqueues its sends and receives as one NCCL group. So all ranks may send before they receive,
 * lengths may differ from rank to rank, and a rank that never comes is found out on the host.
 */
final class NcclExchange implements Exchange {
  private final NcclTransport ranks;
  private final NcclLibrary library;
  private final Group group;

  NcclExchange(NcclTransport ranks, NcclLibrary library, Group group) {
    this.ranks = ranks;
    this.library = library;
    this.group = group;
  }

  @Override
  public List<Pending> play(Round round) {
    try (NDManager scope = Torch.newManager()) {
      Round whole = new Round(round.operation(), contiguous(scope, round), round.sources());
      return fly(scope, whole, meet(scope, whole));
    }
  }

  /** Equal shards by NCCL's own all-gather, others like any round. All ranks see which it is. */
  @Override
  public List<Pending> allGather(NDArray shard) {
    try (NDManager scope = Torch.newManager()) {
      NDArray own = Torch.contiguous(scope, shard);
      Round round = Round.withAll(group, "all-gather", peer -> List.of(own));
      Meeting met = meet(scope, round);
      return group.size() > 1 && own.size() > 0 && met.allLike(own)
          ? gather(scope, own)
          : fly(scope, round, met);
    }
  }

  @Override
  public void send(int to, List<NDArray> tensors) {
    ranks.edge(group, group.rank(), to).send(tensors);
  }

  @Override
  public Pending receive(int from) {
    return ranks.edge(group, from, group.rank()).receive();
  }

  private static SortedMap<Integer, List<NDArray>> contiguous(NDManager scope, Round round) {
    SortedMap<Integer, List<NDArray>> all = new TreeMap<>();
    round
        .outgoing()
        .forEach(
            (to, tensors) ->
                all.put(to, tensors.stream().map(x -> Torch.contiguous(scope, x)).toList()));
    return all;
  }

  /** What has been announced for one round. */
  private final class Meeting {
    private final List<Announcement> outgoing = new ArrayList<>();
    private final List<Announcement> incoming = new ArrayList<>();

    /** The same on every rank of the group: all take part in an operation, or none. */
    boolean carried() {
      return outgoing.stream().anyMatch(Announcement::carried)
          || incoming.stream().anyMatch(Announcement::carried);
    }

    /** Whether every message is one tensor like {@code own}, which NCCL carries. */
    boolean allLike(NDArray own) {
      Announcement like = Announcement.of(List.of(own), library::carries, null);
      return like.carried() && incoming.stream().allMatch(like::equals);
    }

    List<ReceiveBuffers> buffers(NDManager scope) {
      return incoming.stream().map(each -> ReceiveBuffers.of(scope, each, library)).toList();
    }
  }

  private Meeting meet(NDManager scope, Round round) {
    Meeting met = new Meeting();
    SortedMap<Integer, Announcement> outgoing = new TreeMap<>();
    round
        .outgoing()
        .forEach(
            (to, tensors) -> outgoing.put(to, Announcement.of(tensors, library::carries, null)));
    met.outgoing.addAll(outgoing.values());
    GroupRounds rounds = ranks.rounds(group);
    Turn turn = rounds.next(round, outgoing);
    outgoing.forEach(
        (to, word) -> {
          if (!turn.repeats(word)) {
            ranks.send(group.channel(), member(to), word.message(scope, turn.mark()));
          }
        });
    met.incoming.addAll(words(scope, round, turn, rounds));
    rounds.announced(turn, met.incoming);
    if (rounds.full()) {
      new Comparison(ranks, List.of(rounds)).run();
    }
    return met;
  }

  /** What is announced, or known to come, in the order of the round's sources. */
  private List<Announcement> words(NDManager scope, Round round, Turn turn, GroupRounds rounds) {
    SortedMap<Integer, Pending> posted = new TreeMap<>(); // by place; all before one is awaited
    for (int place = 0; place < round.sources().size(); place++) {
      if (turn.arrived(place) == null) {
        int from = member(round.sources().get(place));
        posted.put(place, ranks.receive(group.channel(), from, round.operation()));
      }
    }
    Announcement[] words = new Announcement[round.sources().size()];
    for (int place : predecessorFirst(round.sources(), rounds.predecessor())) {
      Announcement known = turn.arrived(place);
      Pending word = posted.get(place);
      words[place] =
          known != null || word == null
              ? Objects.requireNonNull(known)
              : read(scope, round, turn, rounds, place, word);
    }
    return List.of(words);
  }

  /** A predecessor that does not announce the round says so; others may not come at all then. */
  private static List<Integer> predecessorFirst(List<Integer> sources, int predecessor) {
    List<Integer> places = new ArrayList<>(IntStream.range(0, sources.size()).boxed().toList());
    Collections.rotate(places, -Math.max(0, sources.indexOf(predecessor)));
    return places;
  }

  private Announcement read(
      NDManager scope, Round round, Turn turn, GroupRounds rounds, int place, Pending word) {
    int from = member(round.sources().get(place));
    List<NDArray> message = Comparison.message(ranks, rounds, from, round.operation(), word, scope);
    if (Announcement.numbers(message).get(0) != turn.mark()) {
      throw Comparison.differs(group, ranks.rank(), from, round.operation(), turn.number());
    }
    return Announcement.read(message);
  }

  private int member(int rank) {
    return group.members().get(rank);
  }

  private List<Pending> fly(NDManager scope, Round round, Meeting met) {
    List<ReceiveBuffers> buffers = met.buffers(scope);
    NcclCommunicator communicator = met.carried() ? ranks.communicator(group) : null;
    Flight flight = communicator == null ? null : enqueue(communicator, round, buffers);
    return buffers.stream().map(buffer -> buffer.pending(communicator, flight)).toList();
  }

  private @Nullable Flight enqueue(
      NcclCommunicator communicator, Round round, List<ReceiveBuffers> buffers) {
    List<NDArray> touched = new ArrayList<>();
    round.outgoing().values().forEach(tensors -> touched.addAll(carried(tensors)));
    buffers.forEach(buffer -> touched.addAll(buffer.carried()));
    if (touched.isEmpty()) {
      return null;
    }
    return communicator.enqueue(
        group.channel().label() + " " + round.operation(),
        ranks.ready(),
        touched,
        (handle, stream) -> {
          round
              .outgoing()
              .forEach(
                  (to, tensors) ->
                      carried(tensors).forEach(x -> library.send(x, to, handle, stream)));
          for (int i = 0; i < buffers.size(); i++) {
            int from = round.sources().get(i);
            buffers.get(i).carried().forEach(x -> library.receive(x, from, handle, stream));
          }
        });
  }

  private List<NDArray> carried(List<NDArray> tensors) {
    return ReceiveBuffers.carried(tensors, library);
  }

  private List<Pending> gather(NDManager scope, NDArray own) {
    NcclCommunicator communicator = ranks.communicator(group);
    long each = own.size();
    NDArray all = // (N·n)
        Torch.empty(scope, library.device(), ElementType.of(own), each * group.size());
    Flight flight =
        communicator.enqueue(
            group.channel().label() + " all-gather",
            ranks.ready(),
            List.of(own, all),
            (handle, stream) -> library.allGather(own, all, handle, stream));
    return group.peers().stream()
        .map(
            peer -> {
              NDArray part = Torch.slice(scope, all, 0, peer * each, (peer + 1) * each);
              NDArray shard = Torch.view(scope, part, own.getShape().getShape());
              return new ReceiveBuffers(List.of(shard), List.of()).pending(communicator, flight);
            })
        .toList();
  }
}
