package io.xfuser.internal.parallel;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Some ranks that work together, as one of them sees it.
 *
 * @param channel what their messages are about
 * @param members their ranks in the world; a rank of the group is a place in this list
 * @param rank this rank of the group
 */
public record Group(Channel channel, List<Integer> members, int rank) {
  public Group {
    members = List.copyOf(members);
  }

  /**
   * The group as {@code worldRank} sees it.
   *
   * @throws IllegalArgumentException if that rank is not a member
   */
  static Group of(Channel channel, List<Integer> members, int worldRank) {
    int rank = members.indexOf(worldRank);
    if (rank < 0) {
      throw new IllegalArgumentException("rank " + worldRank + " is not one of " + members);
    }
    return new Group(channel, members, rank);
  }

  public int size() {
    return members.size();
  }

  /** The other ranks of the group, in order. */
  public List<Integer> peers() {
    return IntStream.range(0, size()).filter(peer -> peer != rank).boxed().toList();
  }
}
