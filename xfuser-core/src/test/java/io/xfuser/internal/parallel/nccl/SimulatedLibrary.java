package io.xfuser.internal.parallel.nccl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.nccl.SimulatedCommunicator.Call;
import io.xfuser.internal.parallel.nccl.SimulatedCommunicator.Kind;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** {@link NcclSimulation} as one rank sees it. Bytes (text) count as tensors on the CPU. */
final class SimulatedLibrary implements NcclLibrary {
  private static final ThreadLocal<@Nullable Integer> CURRENT = new ThreadLocal<>();
  private static final ThreadLocal<@Nullable Group> GROUP = new ThreadLocal<>();

  private final NcclSimulation simulation;
  private final int rank;

  SimulatedLibrary(NcclSimulation simulation, int rank) {
    this.simulation = simulation;
    this.rank = rank;
  }

  /** What one thread calls between start and end. */
  private static final class Group {
    private final List<Call> calls = new ArrayList<>();
    private long communicator;
    private long stream;
  }

  private void entered() {
    Integer current = CURRENT.get();
    if (current == null || current != rank) {
      simulation.complain("rank " + rank + " has not made its GPU the thread's");
    }
  }

  @Override
  public Device device() {
    return Device.cpu();
  }

  @Override
  public String card() {
    return "card " + rank;
  }

  @Override
  public boolean carries(NDArray tensor) {
    return ElementType.of(tensor) != ElementType.UINT8;
  }

  @Override
  public void enter() {
    CURRENT.set(rank);
  }

  @Override
  public String newId() {
    entered();
    return UUID.randomUUID().toString();
  }

  @Override
  public long open(String id, int size, int place) {
    entered();
    return simulation.open(rank, id, size, place);
  }

  @Override
  public void check(long communicator) {
    entered();
    if (simulation.failed(communicator)) {
      throw new CommunicationException("NCCL: invalid usage");
    }
  }

  @Override
  public void close(long communicator) {
    simulation.close(rank, communicator);
  }

  @Override
  public void abort(long communicator) {
    simulation.abort(communicator);
  }

  @Override
  public void groupStart() {
    entered();
    if (GROUP.get() != null) {
      simulation.complain("a group within a group");
    }
    GROUP.set(new Group());
  }

  @Override
  public void groupEnd() {
    entered();
    Group ended = GROUP.get();
    GROUP.remove();
    if (ended == null || ended.calls.isEmpty()) {
      simulation.complain("the end of a group that has no calls");
    } else {
      simulation.group(rank, ended.communicator, ended.stream, ended.calls);
    }
  }

  @Override
  public void send(NDArray tensor, int peer, long communicator, long stream) {
    call(Kind.SEND, tensor, null, new long[] {peer, communicator, stream});
  }

  @Override
  public void receive(NDArray tensor, int peer, long communicator, long stream) {
    call(Kind.RECEIVE, tensor, tensor, new long[] {peer, communicator, stream});
  }

  @Override
  public void allGather(NDArray shard, NDArray all, long communicator, long stream) {
    int place = simulation.place(communicator);
    call(Kind.ALL_GATHER, shard, all, new long[] {place, communicator, stream});
  }

  private void call(Kind kind, NDArray tensor, @Nullable NDArray result, long[] where) {
    entered();
    Group open = GROUP.get();
    if (open == null) {
      simulation.complain(kind + " outside a group");
      return;
    }
    if (!open.calls.isEmpty() && (open.communicator != where[1] || open.stream != where[2])) {
      simulation.complain("a group over several communicators or streams");
    }
    open.communicator = where[1];
    open.stream = where[2];
    List<ByteBuffer> into = result == null ? List.of() : Torch.memoryParts(result);
    open.calls.add(
        new Call(
            kind,
            new int[] {simulation.place(where[1]), (int) where[0]},
            ElementType.of(tensor),
            tensor.size(),
            Torch.memoryParts(tensor),
            into));
  }

  @Override
  public long computeStream() {
    return NcclSimulation.COMPUTE;
  }

  @Override
  public long newStream() {
    entered();
    return simulation.newStream(rank);
  }

  @Override
  public void closeStream(long stream) {
    simulation.closeStream(stream);
  }

  @Override
  public long record(long stream) {
    entered();
    return simulation.record(stream);
  }

  @Override
  public void await(long stream, long event) {
    entered();
    simulation.await(stream, event);
  }

  @Override
  public boolean completed(long event) {
    entered();
    return simulation.completed(event);
  }

  @Override
  public void closeEvent(long event) {
    simulation.closeEvent(event);
  }
}
