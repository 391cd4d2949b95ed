package io.xfuser.examples.gpucheck;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.device.Gpus;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.nccl.NcclWorld;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A rank that exchanges tensors with others and looks whether what arrives is what was sent. */
final class ConnectedRank {
  private static final int ROUNDS = 50;
  private static final int ELEMENTS = 1 << 18;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private ConnectedRank() {}

  /** Takes {@code cuda} or {@code cpu}. */
  public static void main(String[] arguments) {
    Torch.prepareThread(1);
    SocketConfig place = SocketConfig.fromEnvironment(System.getenv());
    World sockets = SocketWorld.join(place);
    Device device = arguments[0].equals("cuda") ? Device.gpu(0) : Device.cpu();
    Gpus.enter(device);
    try (World world =
        device.isGpu() ? NcclWorld.over(sockets.transport(), device, TIMEOUT) : sockets) {
      play(world, device, Findings.told());
    }
  }

  /** What each rank of {@code world} does; the first one tells how long it took. */
  static void play(World world, Device device, Findings findings) {
    List<Integer> all = IntStream.range(0, world.size()).boxed().toList();
    exchange(world.group(Channel.ULYSSES, all), device);
    double micros = rounds(world.group(Channel.ULYSSES, all), device);
    if (world.rank() == 0) {
      findings.row("operation", "all-to-all of 1 MiB", "rounds", ROUNDS, "µs each", micros);
    }
  }

  /** Every operation once; tensors are filled with the number of the rank that they are from. */
  private static void exchange(Communicator ranks, Device device) {
    try (NDManager owner = Torch.newManager()) {
      NDArray own = filled(owner, device, ranks.rank() + 1);
      require("all-gather", ranks.allGather(owner, own, 0), 1, 2);
      require("all-reduce", ranks.allReduceSum(owner, own), 3);
      Communicator.Split halves = Communicator.Split.even(0, ELEMENTS, ranks.size());
      require("all-to-all", ranks.allToAll(owner, own, halves, 0), 1, 2);
      int peer = 1 - ranks.rank();
      Pending arriving = ranks.receive(peer);
      ranks.send(List.of(own), peer);
      require("a message", arriving.await(owner).get(0), peer + 1);
    }
  }

  private static NDArray filled(NDManager owner, Device device, float value) {
    float[] values = new float[ELEMENTS];
    Arrays.fill(values, value);
    return Torch.to(owner, owner.create(values, new Shape(ELEMENTS)), device);
  }

  /** Refuses a tensor that is not made of equal parts with these values. */
  private static void require(String operation, NDArray found, float... parts) {
    try (NDManager owner = Torch.newManager()) {
      float[] values = Torch.to(owner, found, Device.cpu()).toFloatArray();
      for (int i = 0; i < values.length; i++) {
        float expected = parts[(int) ((long) i * parts.length / values.length)];
        if (values[i] != expected) {
          throw new IllegalStateException(
              "%s brought %s in place of %s at %d".formatted(operation, values[i], expected, i));
        }
      }
    }
  }

  private static double rounds(Communicator ranks, Device device) {
    try (NDManager owner = Torch.newManager()) {
      NDArray own = filled(owner, device, 1);
      Communicator.Split halves = Communicator.Split.even(0, ELEMENTS, ranks.size());
      long start = System.nanoTime();
      for (int i = 0; i < ROUNDS; i++) {
        try (NDManager scope = owner.newSubManager()) {
          NDArray unused = ranks.allToAll(scope, own, halves, 0);
        }
      }
      require("all-to-all", ranks.allToAll(owner, own, halves, 0), 1); // waits for all before
      return (System.nanoTime() - start) / 1e3 / ROUNDS;
    }
  }
}
