package io.xfuser.internal.parallel.nccl;

import io.xfuser.internal.parallel.Exchange.Round;
import io.xfuser.internal.parallel.Group;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rounds that one group has played in a request. Within steps of one kind a round that this
 * rank has played before, at the same turn among those like it, is not announced again: what
 * arrives is what arrived then. That the other ranks think so too is what the {@link #unreported}
 * numbers are for: each round stands for the announced one that it repeats, itself if it is
 * announced, and neighbours compare these numbers.
 */
final class GroupRounds {
  /** After so many repeated rounds neighbours compare, if the step does not end before. */
  static final int REPEATS = 64;

  /** A rank that is found in the same round so often may be stuck there. */
  private static final int STUCK_LOOKS = 10;

  private final Group group;
  private final Map<Key, Known> known = new HashMap<>();
  private final Map<Key, Integer> turns = new HashMap<>(); // of this step
  private final List<Long> unreported = new ArrayList<>();
  private @Nullable String kind;
  private int repeats; // among the unreported
  private long number; // of the next round
  private long seen; // the number at the last look
  private int looks; // at the same number

  GroupRounds(Group group) {
    this.group = group;
  }

  /**
   * What of a round this rank knows by itself.
   *
   * @param kind of the step
   * @param outgoing to each peer the message's numbers
   * @param turn how many rounds like it came before in the step
   */
  private record Key(String kind, String operation, Map<Integer, List<Long>> outgoing, int turn) {
    private Key at(int other) {
      return new Key(kind, operation, outgoing, other);
    }

    private long name() {
      return (kind + "\n" + operation).hashCode() & 0xffffffffL;
    }
  }

  /** A round that was announced, and what arrived then from each source. */
  private record Known(long number, List<@Nullable Announcement> incoming) {}

  /**
   * A round whose turn it is.
   *
   * @param stands the number of the announced round that it is like
   * @param incoming what arrives; none if it has to be announced
   */
  record Turn(
      long number,
      long stands,
      @Nullable Key key,
      @Nullable List<@Nullable Announcement> incoming) {
    /** Whether what is sent and announced as {@code word} needs no announcement. */
    boolean repeats(Announcement word) {
      return incoming != null && word.repeatable();
    }

    /** By which the other ranks know the round. */
    long mark() {
      return number << 32 | (key == null ? 0 : key.name());
    }

    /** What has arrived from the source at {@code place}; none if it has to be awaited. */
    @Nullable Announcement arrived(int place) {
      return incoming == null ? null : incoming.get(place);
    }
  }

  /** A step of {@code kind} begins; none if what follows is no step. */
  synchronized void enter(@Nullable String kind) {
    this.kind = kind;
    turns.clear();
    unreported.clear();
    repeats = 0;
  }

  /** Counts a round, whose messages are {@code outgoing}. */
  synchronized Turn next(Round round, Map<Integer, Announcement> outgoing) {
    long own = number++;
    Key key = key(round, outgoing);
    Known before = key == null ? null : known.get(key);
    long stands = before == null ? own : before.number();
    if (kind != null) {
      unreported.add(stands);
      repeats += before == null ? 0 : 1;
    }
    return new Turn(own, stands, key, before == null ? null : before.incoming());
  }

  /** A round in which neighbours do not hear of each other is always announced: a broadcast. */
  private @Nullable Key key(Round round, Map<Integer, Announcement> outgoing) {
    if (kind == null
        || !round.outgoing().containsKey(successor())
        || !round.sources().contains(predecessor())) {
      return null;
    }
    Map<Integer, List<Long>> numbers = new HashMap<>();
    outgoing.forEach((to, word) -> numbers.put(to, word.numbers()));
    Key like = new Key(kind, round.operation(), numbers, -1);
    return like.at(turns.merge(like, 1, Integer::sum) - 1);
  }

  /** Remembers what was announced in {@code turn}. */
  synchronized void announced(Turn turn, List<Announcement> incoming) {
    if (turn.key() != null && turn.incoming() == null) {
      List<@Nullable Announcement> words = new ArrayList<>();
      incoming.forEach(word -> words.add(word.repeatable() ? word : null));
      known.put(turn.key(), new Known(turn.number(), words));
    }
  }

  /** Whether neighbours have to compare at the end of a step. */
  synchronized boolean due() {
    return repeats > 0;
  }

  /** Whether they have to before that. */
  synchronized boolean full() {
    return repeats >= REPEATS;
  }

  /** What neighbours compare now; the next report goes on from there. */
  synchronized List<Long> report() {
    List<Long> report = told();
    unreported.clear();
    repeats = 0;
    return report;
  }

  /**
   * What to tell the successor although it is not its turn, once in a while that this rank is in
   * one round: it may wait for ranks that wait for it to announce.
   */
  synchronized List<Long> look() {
    looks = number == seen ? looks + 1 : 0;
    seen = number;
    return looks == STUCK_LOOKS && repeats > 0 ? told() : List.of();
  }

  /** The rounds that neighbours have not compared, the first of them, then what each stands for. */
  private List<Long> told() {
    List<Long> told = new ArrayList<>(List.of(number - unreported.size()));
    told.addAll(unreported);
    return told;
  }

  /** Whether the predecessor, which has told this, has played the same as far as both have. */
  synchronized boolean fits(List<Long> told) {
    long first = number - unreported.size();
    for (int i = 1; i < told.size(); i++) {
      long round = told.get(0) + i - 1;
      if (round >= first
          && round < number
          && !unreported.get(Math.toIntExact(round - first)).equals(told.get(i))) {
        return false;
      }
    }
    return true;
  }

  Group group() {
    return group;
  }

  /** The group's rank that hears this one's report. */
  int successor() {
    return (group.rank() + 1) % group.size();
  }

  /** The group's rank whose report this one hears. */
  int predecessor() {
    return (group.rank() + group.size() - 1) % group.size();
  }
}
