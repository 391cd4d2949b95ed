package io.xfuser.parallel;

import ai.djl.Device;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** All ranks, as one of them sees them. */
public final class World implements AutoCloseable {
  private final Transport transport;
  private final BiFunction<Transport, Group, Exchange> exchanges;
  private final Device device;
  private final ByteCounter counter = new ByteCounter();

  /** The world that {@code transport} reaches; it carries the messages of all groups. */
  public World(Transport transport) {
    this(transport, Device.cpu());
  }

  /** The same with a transport that carries tensors of {@code device} too. */
  public World(Transport transport, Device device) {
    this(transport, TransportExchange::new, device);
  }

  /**
   * The world that {@code transport} reaches; {@code exchanges} carry the groups' messages, tensors
   * of {@code device} among them.
   */
  public World(Transport transport, Function<Group, Exchange> exchanges, Device device) {
    this(transport, (whatever, group) -> exchanges.apply(group), device);
  }

  private World(
      Transport transport, BiFunction<Transport, Group, Exchange> exchanges, Device device) {
    this.transport = transport;
    this.exchanges = exchanges;
    this.device = device;
  }

  /** Where this rank's tensors may be, beside the CPU. */
  public Device device() {
    return device;
  }

  /** This rank. */
  public int rank() {
    return transport.rank();
  }

  /** The number of ranks. */
  public int size() {
    return transport.size();
  }

  /** The group of the ranks in {@code members}, which this rank is one of. */
  public Communicator group(Channel channel, List<Integer> members) {
    Group group = Group.of(channel, members, rank());
    return new MessageCommunicator(group, exchanges.apply(transport, group), counter);
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
    return new World(change.apply(transport), exchanges, device);
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
