package io.xfuser.internal.parallel.nccl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.HostStaging;
import io.xfuser.internal.parallel.Machines;
import io.xfuser.internal.parallel.World;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes worlds of processes with GPUs: by NCCL where it can connect them, else through the host's
 * memory. All ranks tell one another what they have, so all decide alike.
 */
public final class GpuWorld {
  private static final Logger LOG = LoggerFactory.getLogger(GpuWorld.class);

  private GpuWorld() {}

  /**
   * The ranks of {@code world}, which carries tensors of the CPU, exchanging those of {@code
   * device} too; on the CPU {@code world} itself. Called by all ranks alike, before the first
   * request. Closing what is returned closes {@code world}.
   *
   * <p>NCCL refuses two ranks on one GPU, and may be missing. Then tensors go through the host's
   * memory, and rank 0 logs a warning that says why.
   *
   * @param device where this rank computes
   * @param timeout how long NCCL's work may take before it counts as failed
   */
  public static World over(World world, Device device, Duration timeout) {
    return device.isGpu()
        ? over(world, new Own(device, Machines.own(), () -> NcclWorld.library(device)), timeout)
        : world;
  }

  /**
   * What this rank has.
   *
   * @param device where it computes
   * @param machine which no other machine is called
   * @param library loads NCCL
   */
  record Own(Device device, String machine, Supplier<NcclLibrary> library) {}

  static World over(World world, Own own, Duration timeout) {
    if (world.size() == 1) {
      return new World(world.transport(), own.device());
    }
    NcclLibrary library = null;
    Card card;
    try {
      library = own.library().get();
      card = new Card(own.machine(), library.card(), "");
    } catch (CommunicationException e) {
      card = new Card(own.machine(), "", String.valueOf(e.getMessage()));
    }
    Optional<String> obstacle = obstacle(exchange(world, card));
    if (library != null && obstacle.isEmpty()) {
      return NcclWorld.over(world.transport(), library, timeout);
    }
    if (world.rank() == 0) {
      LOG.warn("ranks exchange tensors through the host's memory: {}", obstacle.orElse(""));
    }
    return new World(new HostStaging(world.transport(), own.device()), own.device());
  }

  /**
   * A rank's GPU.
   *
   * @param machine that it is in
   * @param address of the card, empty if NCCL is missing
   * @param missing why it is, else empty
   */
  record Card(String machine, String address, String missing) {
    private String text() {
      return String.join("\n", machine, address, missing.lines().findFirst().orElse(""));
    }

    private static Card read(String text) {
      String[] lines = text.split("\n", 3);
      return new Card(lines[0], lines[1], lines[2]);
    }
  }

  /** Why NCCL cannot connect the ranks, the cards being in order of rank. */
  static Optional<String> obstacle(List<Card> cards) {
    Map<Card, Integer> owners = new HashMap<>();
    for (int rank = 0; rank < cards.size(); rank++) {
      Card card = cards.get(rank);
      if (card.address().isEmpty()) {
        return Optional.of("rank " + rank + " has no NCCL (" + card.missing() + ")");
      }
      Integer other = owners.putIfAbsent(card, rank);
      if (other != null) {
        return Optional.of(
            "ranks %d and %d share the GPU %s, which NCCL refuses"
                .formatted(other, rank, card.address()));
      }
    }
    return Optional.empty();
  }

  private static List<Card> exchange(World world, Card own) {
    List<Integer> everyone = IntStream.range(0, world.size()).boxed().toList();
    List<Card> cards = new ArrayList<>();
    try (NDManager scope = Torch.newManager()) {
      NDArray mine = Announcement.tensor(scope, own.text());
      for (NDArray text : world.group(Channel.WORLD, everyone).startAllGather(mine).await(scope)) {
        cards.add(Card.read(Announcement.id(text)));
      }
    }
    return cards;
  }
}
