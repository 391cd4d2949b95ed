package io.xfuser.internal.parallel;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What must be equal on all ranks, as named entries, so that what differs can be named. A value is
 * compared as text; of what is large, its digest belongs here. What a rank refuses belongs here
 * too, as an entry that the others do not have: then all ranks learn of it, and none waits for one
 * that has thrown.
 *
 * <p>{@link World#requireEqual} compares those of all ranks.
 */
public final class Fingerprint {
  /** No entries. */
  public static final Fingerprint EMPTY = new Fingerprint(Map.of());

  private static final String REFUSAL = "refusal";
  private static final int SHOWN_CHARS = 80;
  private static final int SHOWN_BEFORE = 20;
  private static final int SHOWN_ENTRIES = 5;

  private final Map<String, String> entries;

  private Fingerprint(Map<String, String> entries) {
    this.entries = Collections.unmodifiableMap(entries);
  }

  /** Of a rank that does nothing of what it was asked for; {@code reason} is a sentence. */
  public static Fingerprint refusal(String reason) {
    return EMPTY.with(REFUSAL, reason);
  }

  /**
   * With an entry more, or another value of one.
   *
   * @param name as a user knows it: a flag's name without the dashes, say
   * @param value shown to users by its {@code toString}; {@code null} = none
   */
  public Fingerprint with(String name, @Nullable Object value) {
    Map<String, String> more = new LinkedHashMap<>(entries);
    if (value == null) {
      more.remove(name);
    } else {
      more.put(name, value.toString());
    }
    return new Fingerprint(more);
  }

  /** With the entries of {@code other} after these. */
  public Fingerprint and(Fingerprint other) {
    Map<String, String> more = new LinkedHashMap<>(entries);
    more.putAll(other.entries);
    return new Fingerprint(more);
  }

  /** The entries, in the order in which they were added. */
  public Map<String, String> entries() {
    return entries;
  }

  /**
   * What differs between ranks, in one sentence: {@code rank 1 has ulysses_degree 4, rank 0 has 2}.
   * Nothing if all are equal. Where ranks refuse, the reason of the first that does.
   *
   * @param byRank one of each rank, rank 0 first
   */
  public static Optional<String> differences(List<Fingerprint> byRank) {
    Set<String> names = new LinkedHashSet<>();
    byRank.forEach(each -> names.addAll(each.entries.keySet()));
    List<String> clauses = new ArrayList<>();
    for (String name : names) {
      Map<String, List<Integer>> ranks = new LinkedHashMap<>();
      for (int rank = 0; rank < byRank.size(); rank++) {
        String value = byRank.get(rank).entries.get(name);
        ranks.computeIfAbsent(value == null ? "" : "=" + value, key -> new ArrayList<>()).add(rank);
      }
      if (ranks.size() > 1) {
        clauses.add(clause(name, ranks));
      }
    }
    if (clauses.isEmpty()) {
      return Optional.empty();
    }
    for (int rank = 0; rank < byRank.size(); rank++) {
      String reason = byRank.get(rank).entries.get(REFUSAL);
      if (reason != null) {
        return Optional.of("rank " + rank + " refuses the request: " + reason);
      }
    }
    int more = clauses.size() - SHOWN_ENTRIES;
    String shown = clauses.stream().limit(SHOWN_ENTRIES).collect(Collectors.joining("; "));
    return Optional.of(more > 0 ? shown + "; and " + more + " more differ" : shown);
  }

  /** The ranks that agree with rank 0 come last: most likely they are right. */
  private static String clause(String name, Map<String, List<Integer>> ranks) {
    List<Map.Entry<String, List<Integer>>> groups = new ArrayList<>(ranks.entrySet());
    Collections.rotate(groups, -1);
    int common = common(ranks.keySet());
    List<String> parts = new ArrayList<>();
    for (Map.Entry<String, List<Integer>> group : groups) {
      String value = group.getKey().isEmpty() ? "none" : shown(group.getKey(), common);
      parts.add(
          ranks(group.getValue())
              + (group.getValue().size() == 1 ? " has " : " have ")
              + (parts.isEmpty() && !group.getKey().isEmpty() ? name + " " : "")
              + (parts.isEmpty() && group.getKey().isEmpty() ? "no " + name : value));
    }
    return String.join(", ", parts);
  }

  private static String ranks(List<Integer> ranks) {
    List<String> numbers = ranks.stream().map(String::valueOf).toList();
    int last = numbers.size() - 1;
    return last == 0
        ? "rank " + numbers.get(0)
        : "ranks " + String.join(", ", numbers.subList(0, last)) + " and " + numbers.get(last);
  }

  /** How many characters all values have in common at their beginning. */
  private static int common(Set<String> values) {
    String first = values.iterator().next();
    int common = first.length();
    for (String other : values) {
      int same = 0;
      while (same < Math.min(common, other.length()) && other.charAt(same) == first.charAt(same)) {
        same++;
      }
      common = same;
    }
    return common;
  }

  /** Of a long value, the piece in which it begins to differ. */
  private static String shown(String marked, int common) {
    String value = marked.substring(1);
    if (value.length() <= SHOWN_CHARS) {
      return value.isEmpty() ? "\"\"" : value;
    }
    int from = Math.max(0, Math.min(common, value.length()) - 1 - SHOWN_BEFORE);
    int to = Math.min(value.length(), from + SHOWN_CHARS);
    return (from > 0 ? "…" : "") + value.substring(from, to) + (to < value.length() ? "…" : "");
  }

  /** As bytes, for a message. */
  public byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    try {
      out.writeInt(entries.size());
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        write(out, entry.getKey());
        write(out, entry.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /**
   * Reads what {@link #encode} made.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static Fingerprint decode(byte[] encoded) {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(encoded));
    Map<String, String> entries = new LinkedHashMap<>();
    try {
      for (int left = in.readInt(); left > 0; left--) {
        String name = read(in);
        entries.put(name, read(in));
      }
    } catch (IOException e) {
      throw new IllegalArgumentException("not a fingerprint", e);
    }
    return new Fingerprint(entries);
  }

  private static String read(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) { // all bytes are here
      throw new IOException("a text of " + length + " bytes");
    }
    return new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Fingerprint that && entries.equals(that.entries);
  }

  @Override
  public int hashCode() {
    return entries.hashCode();
  }

  @Override
  public String toString() {
    return entries.toString();
  }
}
