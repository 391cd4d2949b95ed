package io.xfuser.internal.parallel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** All ranks, as one of them sees them. */
public final class World implements AutoCloseable {
  private final Transport transport;
  private final BiFunction<Transport, Group, Exchange> exchanges;
  private final Device device;
  private final Machines machines;
  private final ByteCounter counter = new ByteCounter();

  /** The world that {@code transport} reaches; it carries the messages of all groups. */
  public World(Transport transport) {
    this(transport, Device.cpu());
  }

  /** The same with a transport that carries tensors of {@code device} too. */
  public World(Transport transport, Device device) {
    this(transport, TransportExchange::new, device, Machines.UNKNOWN);
  }

  /**
   * The world that {@code transport} reaches; {@code exchanges} carry the groups' messages, tensors
   * of {@code device} among them.
   */
  public World(Transport transport, Function<Group, Exchange> exchanges, Device device) {
    this(transport, (whatever, group) -> exchanges.apply(group), device, Machines.UNKNOWN);
  }

  private World(
      Transport transport,
      BiFunction<Transport, Group, Exchange> exchanges,
      Device device,
      Machines machines) {
    this.transport = transport;
    this.exchanges = exchanges;
    this.device = device;
    this.machines = machines;
  }

  /** Where this rank's tensors may be, beside the CPU. */
  public Device device() {
    return device;
  }

  public int rank() {
    return transport.rank();
  }

  /** The number of ranks. */
  public int size() {
    return transport.size();
  }

  /** The group of the ranks in {@code members}, which this rank is one of. */
  public Communicator group(Channel channel, List<Integer> members) {
    return group(channel, members, place -> machines.differ(members.get(place), rank()));
  }

  /**
   * The same of ranks that are on nodes of {@code ofANode} each, in order.
   *
   * @throws IllegalArgumentException if the ranks do not fill the nodes
   */
  public TwoLevels onNodes(Channel channel, List<Integer> members, int ofANode) {
    if (members.size() % ofANode != 0) {
      throw new IllegalArgumentException(
          "%d ranks do not fill nodes of %d".formatted(members.size(), ofANode));
    }
    int own = members.indexOf(rank());
    IntPredicate far =
        place -> place / ofANode != own / ofANode || machines.differ(members.get(place), rank());
    int first = own - own % ofANode;
    List<Integer> alike =
        IntStream.range(0, members.size())
            .filter(place -> place % ofANode == own % ofANode)
            .mapToObj(members::get)
            .toList();
    return new TwoLevels(
        group(channel, members, far),
        group(channel, members.subList(first, first + ofANode), place -> false),
        group(channel, alike, place -> place != own / ofANode));
  }

  private Communicator group(Channel channel, List<Integer> members, IntPredicate far) {
    Group group = Group.of(channel, members, rank());
    return new MessageCommunicator(group, exchanges.apply(transport, group), counter, far);
  }

  /** The group of the ranks along {@code axis} of {@code mesh}. */
  public Communicator along(DeviceMesh mesh, MeshAxis axis) {
    return group(axis.channel(), mesh.ranksAlong(rank(), axis));
  }

  /**
   * The same ranks, seen through {@code change} of this world's transport: all messages pass it
   * that the transport carries itself. Bytes are counted anew.
   */
  public World through(UnaryOperator<Transport> change) {
    return new World(change.apply(transport), exchanges, device, machines);
  }

  /** The same ranks, of which it is known where they are. Bytes are counted anew. */
  public World on(Machines known) {
    return new World(transport, exchanges, device, known);
  }

  public Machines machines() {
    return machines;
  }

  /**
   * Compares what must be equal on all ranks. All of them call it, in the same order among their
   * messages to all; it returns on every rank or throws on every rank. Its bytes are not counted.
   *
   * @throws MismatchException if something differs; the sentence names it and the ranks
   * @throws CommunicationException if a rank has failed or left
   */
  public void requireEqual(Fingerprint own) {
    List<Fingerprint> all = tell(own.encode()).stream().map(Fingerprint::decode).toList();
    Fingerprint.differences(all)
        .ifPresent(
            sentence -> {
              throw new MismatchException(sentence);
            });
  }

  /**
   * Tells all ranks something; called and not counted as {@link #requireEqual} is.
   *
   * @return what all ranks told, in their order
   */
  List<byte[]> tell(byte[] own) {
    List<byte[]> all = new ArrayList<>();
    try (NDManager scope = Torch.newManager()) {
      NDArray message = Torch.empty(scope, ElementType.UINT8, own.length);
      Torch.memory(message).put(own);
      List<Pending> arriving =
          IntStream.range(0, size())
              .mapToObj(peer -> transport.receive(Channel.WORLD, peer, "comparison"))
              .toList();
      IntStream.range(0, size())
          .forEach(peer -> transport.send(Channel.WORLD, peer, List.of(message)));
      for (Pending pending : arriving) {
        ByteBuffer memory = Torch.memory(pending.await(scope).singletonOrThrow());
        byte[] received = new byte[memory.remaining()];
        memory.get(received);
        all.add(received);
      }
    }
    return all;
  }

  /** What carries the messages. */
  public Transport transport() {
    return transport;
  }

  /** Bytes this rank has sent. */
  public ByteCounter counter() {
    return counter;
  }

  @Override
  public void close() {
    transport.close();
  }
}
