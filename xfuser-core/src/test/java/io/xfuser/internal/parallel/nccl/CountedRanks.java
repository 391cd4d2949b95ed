package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Ranks that exchange by a simulation of NCCL, and count their messages of the host. */
final class CountedRanks {
  static final Duration PATIENCE = Duration.ofSeconds(20);

  private CountedRanks() {}

  /** What one rank has sent in the host's memory, but for what it tells because it is slow. */
  static final class Counted extends ForwardingTransport {
    final AtomicInteger sent = new AtomicInteger();

    private Counted(Transport inner) {
      super(inner);
    }

    @Override
    public void send(Channel channel, int to, List<NDArray> tensors) {
      boolean numbers = !tensors.isEmpty() && ElementType.of(tensors.get(0)) == ElementType.INT64;
      if (!numbers || !Comparison.early(Announcement.numbers(tensors))) {
        sent.incrementAndGet();
      }
      super.send(channel, to, tensors);
    }
  }

  interface Body {
    void run(World world, Counted host) throws Exception;
  }

  static void run(int size, NcclSimulation gpus, Body body) throws Exception {
    InProcessRanks ranks = new InProcessRanks(size, PATIENCE);
    TestRanks.together(
        size,
        rank -> {
          Torch.prepareThread(1);
          Counted host = new Counted(ranks.transport(rank));
          try (World world = NcclWorld.over(host, gpus.library(rank), PATIENCE)) {
            try {
              body.run(world, host);
            } catch (RuntimeException | AssertionError e) {
              world.transport().fail(e);
              throw e;
            }
          }
          return true;
        });
    gpus.check();
  }

  /** The same by sockets, on which a request may follow one that failed. */
  static void runOverSockets(NcclSimulation gpus, Body body) throws Exception {
    int port = TestRanks.freePort();
    TestRanks.together(
        3,
        rank -> {
          Torch.prepareThread(1);
          World sockets = SocketWorld.join(TestRanks.config(rank, 3, port, TestRanks.QUICK));
          Counted host = new Counted(sockets.transport());
          try (World world = NcclWorld.over(host, gpus.library(rank), PATIENCE)) {
            body.run(world, host);
          }
          return true;
        });
    gpus.check();
  }
}
