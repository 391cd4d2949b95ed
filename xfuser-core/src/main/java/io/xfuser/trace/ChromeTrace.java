package io.xfuser.trace;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * Chrome's trace event format: an object with {@code traceEvents}. Machines are its processes,
 * ranks its threads, times microseconds. Source: "Trace Event Format", the Catapult project.
 */
final class ChromeTrace {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double NANOS_PER_MICROSECOND = 1000;

  private final ObjectNode root = JSON.createObjectNode();
  private final ArrayNode events = root.putArray("traceEvents");
  private final List<String> machines = new ArrayList<>();

  private ChromeTrace() {}

  static String json(RunTrace run) {
    ChromeTrace trace = new ChromeTrace();
    trace.root.put("displayTimeUnit", "ms");
    ObjectNode errors = trace.root.putObject("otherData").putObject("clock_error_us");
    for (RankTrace rank : run.ranks()) {
      errors.put("rank " + rank.rank(), rank.clockError() / NANOS_PER_MICROSECOND);
      trace.add(rank);
    }
    try {
      return JSON.writeValueAsString(trace.root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a trace that is no JSON: " + e.getMessage(), e);
    }
  }

  private void add(RankTrace rank) {
    if (!machines.contains(rank.machine())) {
      machines.add(rank.machine());
      name("process_name", rank, rank.machine());
    }
    name("thread_name", rank, "rank " + rank.rank());
    for (TraceEvent event : rank.events()) {
      ObjectNode node = node("X", event.what().label(), rank);
      node.put("cat", event.what().category());
      node.put("ts", event.start() / NANOS_PER_MICROSECOND);
      node.put("dur", event.nanos() / NANOS_PER_MICROSECOND);
      arguments(node.putObject("args"), event);
      if (event.message() != null) {
        arrow(rank, event, event.message());
      }
    }
  }

  private void name(String kind, RankTrace rank, String name) {
    node("M", kind, rank).putObject("args").put("name", name);
  }

  private ObjectNode node(String phase, String name, RankTrace rank) {
    return events
        .addObject()
        .put("ph", phase)
        .put("name", name)
        .put("pid", machines.indexOf(rank.machine()))
        .put("tid", rank.rank());
  }

  private static void arguments(ObjectNode to, TraceEvent event) {
    TraceEvent.MicroStep at = event.at();
    if (at != null) {
      to.put("step", at.step() + 1);
      if (at.whole()) {
        to.put("patch", "all");
      } else {
        to.put("patch", at.from() + 1);
      }
    }
    Message message = event.message();
    if (message != null) {
      to.put("axis", message.axis().label());
      to.put("operation", message.operation());
      to.put("peer", message.peer());
      to.put("bytes", message.bytes());
    }
  }

  /** Half of an arrow from a send to the wait that it ends. */
  private void arrow(RankTrace rank, TraceEvent event, Message message) {
    boolean sent = event.what() == Activity.SEND;
    int from = sent ? rank.rank() : message.peer();
    int to = sent ? message.peer() : rank.rank();
    String axis = message.axis().label();
    ObjectNode node = node(sent ? "s" : "f", axis, rank);
    node.put("cat", "message");
    node.put("id", axis + " " + from + ">" + to + " " + message.number());
    node.put("ts", (sent ? event.start() : event.end()) / NANOS_PER_MICROSECOND);
    if (!sent) {
      node.put("bp", "e");
    }
  }
}
