package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.Group;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;

/**
 * Neighbours in some groups tell one another which announced rounds they have repeated: each rank
 * tells the next and hears the previous one. Were there ranks that repeat a round and others that
 * announce it, or ranks that repeat different ones, two neighbours would differ. A rank that
 * announces waits for the announcement of its predecessor, so it gets this message in its place.
 *
 * @param rounds one for each group, in the same order on all its ranks
 */
record Comparison(NcclTransport ranks, List<GroupRounds> rounds) {
  /** Marks the message; marks of announcements are not negative. */
  private static final long MARK = -1;

  /** Marks one that is sent while this rank may be stuck; the one at its turn still comes. */
  private static final long EARLY = -2;

  private static final String OPERATION = "comparison of rounds";

  /** Returns when this rank's predecessors have repeated what it has. */
  void run() {
    try (NDManager scope = Torch.newManager()) {
      List<List<Long>> told = new ArrayList<>();
      List<Pending> heard = new ArrayList<>();
      for (GroupRounds each : rounds) {
        List<Long> report = new ArrayList<>(List.of(MARK));
        report.addAll(each.report());
        told.add(report);
        Group group = each.group();
        NDArray message = Announcement.tensor(scope, report);
        int next = group.members().get(each.successor());
        int previous = group.members().get(each.predecessor());
        heard.add(ranks.receive(group.channel(), previous, OPERATION));
        ranks.send(group.channel(), next, List.of(message));
      }
      for (int i = 0; i < heard.size(); i++) {
        Group group = rounds.get(i).group();
        int previous = group.members().get(rounds.get(i).predecessor());
        List<NDArray> message =
            message(ranks, rounds.get(i), previous, OPERATION, heard.get(i), scope);
        if (!Announcement.numbers(message).equals(told.get(i))) {
          throw differs(group, ranks.rank(), previous, OPERATION, told.get(i).get(1));
        }
      }
    }
  }

  /** Tells the successor of rounds in which this rank may be stuck. Any thread may call. */
  static void tellEarly(NcclTransport ranks, GroupRounds each) {
    List<Long> stuck = each.look();
    if (stuck.isEmpty()) {
      return;
    }
    List<Long> report = new ArrayList<>(List.of(EARLY));
    report.addAll(stuck);
    Group group = each.group();
    int next = group.members().get(each.successor());
    try (NDManager scope = Torch.newManager()) {
      ranks.send(group.channel(), next, List.of(Announcement.tensor(scope, report)));
    } catch (RuntimeException e) {
      return; // the request is over, as the watchdog will see
    }
  }

  /** Whether {@code message} is no part of an exchange in order. */
  static boolean early(List<Long> message) {
    return message.get(0) == EARLY;
  }

  /** The next message of {@code from} that is not an early report; those are compared. */
  static List<NDArray> message(
      NcclTransport ranks,
      GroupRounds rounds,
      int from,
      String operation,
      Pending posted,
      NDManager scope) {
    Pending next = posted;
    while (true) {
      List<NDArray> message = next.await(scope);
      List<Long> numbers = Announcement.numbers(message);
      if (!early(numbers)) {
        return message;
      }
      List<Long> told = numbers.subList(1, numbers.size());
      if (!rounds.fits(told)) {
        throw differs(rounds.group(), ranks.rank(), from, operation, told.get(0));
      }
      next = ranks.receive(rounds.group().channel(), from, operation);
    }
  }

  /** What says that two ranks do not play the same rounds. */
  static CommunicationException differs(
      Group group, int rank, int other, String operation, long number) {
    return new CommunicationException(
        "ranks %d and %d play different rounds: %s %s is round %d of rank %d, and not of rank %d"
            .formatted(rank, other, group.channel().label(), operation, number, rank, other));
  }
}
