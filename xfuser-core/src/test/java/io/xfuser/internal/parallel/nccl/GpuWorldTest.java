package io.xfuser.internal.parallel.nccl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.HostStaging;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.parallel.nccl.GpuWorld.Card;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class GpuWorldTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final NcclSimulation gpus = new NcclSimulation(false);

  /** The kinds of transports that ranks on these machines come to. */
  private List<Class<? extends Transport>> connected(
      IntFunction<String> machines, IntFunction<NcclLibrary> libraries) throws Exception {
    InProcessRanks ranks = new InProcessRanks(3, PATIENCE);
    return TestRanks.together(
        3,
        rank -> {
          Torch.prepareThread(1);
          GpuWorld.Own own =
              new GpuWorld.Own(Device.cpu(), machines.apply(rank), () -> libraries.apply(rank));
          try (World world = GpuWorld.over(new World(ranks.transport(rank)), own, PATIENCE);
              NDManager scope = Torch.newManager()) {
            float[] all =
                TestRanks.all(world)
                    .allGather(scope, TestRanks.numbers(scope, rank, 1), 0)
                    .toFloatArray();
            assertThat(all).containsExactly(0, 1, 2);
            return world.transport().getClass();
          }
        });
  }

  @Test
  void ranksWithAGpuEachAreConnectedByNccl() throws Exception {
    assertThat(connected(rank -> "here", gpus::library)).containsOnly(NcclTransport.class);
    gpus.check();
  }

  @Test
  void cardsOfTheSameAddressInTwoMachinesAreTwo() throws Exception {
    assertThat(connected(rank -> "machine " + rank, gpus::library))
        .containsOnly(NcclTransport.class);
    gpus.check();
  }

  @Test
  void ifOneRankLacksNcclAllGoThroughTheHostsMemory() throws Exception {
    assertThat(
            connected(
                rank -> "here",
                rank -> {
                  if (rank == 1) {
                    throw new CommunicationException("NCCL cannot be loaded");
                  }
                  return gpus.library(rank);
                }))
        .containsOnly(HostStaging.class);
  }

  @Test
  void whatStandsInTheWayIsNamed() {
    Card first = new Card("a", "0000:17:00.0", "");
    Card other = new Card("a", "0000:65:00.0", "");
    Card elsewhere = new Card("b", "0000:17:00.0", "");
    assertThat(GpuWorld.obstacle(List.of(first, other, elsewhere))).isEmpty();
    assertThat(GpuWorld.obstacle(List.of(first, other, first)))
        .hasValue("ranks 0 and 2 share the GPU 0000:17:00.0, which NCCL refuses");
    assertThat(GpuWorld.obstacle(List.of(first, new Card("a", "", "no driver"))))
        .hasValue("rank 1 has no NCCL (no driver)");
  }

  @Test
  void aRankAloneNeedsNoNccl() {
    InProcessRanks alone = new InProcessRanks(1, PATIENCE);
    GpuWorld.Own own =
        new GpuWorld.Own(
            Device.gpu(2),
            "here",
            () -> {
              throw new AssertionError("asked for NCCL");
            });
    try (World world = GpuWorld.over(new World(alone.transport(0)), own, PATIENCE)) {
      assertThat(world.device()).isEqualTo(Device.gpu(2));
    }
  }

  @Test
  void onTheCpuAWorldStaysWhatItIs() {
    try (World world = new World(new InProcessRanks(1, PATIENCE).transport(0))) {
      assertThat(GpuWorld.over(world, Device.cpu(), PATIENCE)).isSameAs(world);
    }
  }
}
