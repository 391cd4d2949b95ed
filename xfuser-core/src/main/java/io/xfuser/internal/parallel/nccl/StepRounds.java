package io.xfuser.internal.parallel.nccl;

import io.xfuser.internal.parallel.Group;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The rounds of all groups of a rank, in its present step. */
final class StepRounds {
  private final Map<Group, GroupRounds> groups = new LinkedHashMap<>();
  private @Nullable String kind; // of the step; none outside

  synchronized GroupRounds of(Group group) {
    return groups.computeIfAbsent(
        group,
        key -> {
          GroupRounds made = new GroupRounds(key);
          made.enter(kind);
          return made;
        });
  }

  /** Those that have repeated rounds which neighbours have not compared. */
  synchronized List<GroupRounds> due() {
    return groups.values().stream().filter(GroupRounds::due).toList();
  }

  /** Looks at all; what it finds belongs to this request, for {@link #clear} waits. */
  synchronized void look(Consumer<GroupRounds> each) {
    groups.values().forEach(each);
  }

  synchronized void enter(@Nullable String next) {
    kind = next;
    groups.values().forEach(each -> each.enter(next));
  }

  /** Forgets everything, for a new request: its rounds may be others. */
  synchronized void clear() {
    groups.clear();
    kind = null;
  }
}
