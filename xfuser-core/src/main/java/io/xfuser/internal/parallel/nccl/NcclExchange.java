package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Exchange;
import io.xfuser.internal.parallel.Group;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rounds of a group by NCCL. Every message is announced over the transport beneath; then each rank
 * knows what will come, and enqueues its sends and receives as one NCCL group. So all ranks may
 * send before they receive, lengths may differ from rank to rank, and a rank that never comes is
 * found out on the host.
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
    round
        .outgoing()
        .forEach(
            (to, tensors) -> {
              Announcement word = Announcement.of(tensors, library::carries, null);
              met.outgoing.add(word);
              ranks.send(group.channel(), group.members().get(to), word.message(scope));
            });
    List<Pending> words =
        round.sources().stream()
            .map(
                from ->
                    ranks.receive(group.channel(), group.members().get(from), round.operation()))
            .toList();
    words.forEach(word -> met.incoming.add(Announcement.read(word.await(scope))));
    return met;
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
