package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls wherever a rank may listen until it answers, however late it starts. */
final class Search {
  private static final Logger LOG = LoggerFactory.getLogger(Search.class);

  /** How long a run that ends may hold the port where this one is to meet. */
  private static final Duration OTHERS = Duration.ofSeconds(5);

  /** After so long a search that goes on says so, and one without a route ends. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  /** What does not become better by waiting longer: no route, or IPv4 on a machine of IPv6. */
  private static final Pattern UNREACHABLE =
      Pattern.compile("Network is unreachable|family|address type");

  private final SocketConfig config;
  private final Handshake.Call call;
  private final Roster.Seat seat;
  private final int ports;
  private String why = "";
  private boolean answered; // by more than the refusal of a port where nobody listens
  private @Nullable Deadline others; // set when another run was met

  /** For the rank that {@code call} means, which listens at one of the addresses of its seat. */
  Search(SocketConfig config, Handshake.Call call, Roster.Seat seat) {
    this.config = config;
    this.call = call;
    this.seat = seat;
    this.ports = joins() ? config.master().ports() : 1;
  }

  /**
   * The connection to the rank, after the handshake.
   *
   * @param check called between attempts; what it throws ends the search
   * @throws CommunicationException in one sentence, if it is not found in time
   */
  Connection find(Runnable check) {
    Duration limit = config.limits().rendezvous();
    Deadline deadline = Deadline.after(limit);
    Deadline patience = Deadline.after(PATIENCE);
    boolean told = false;
    for (long pause = 20; !deadline.isOver(); pause = Math.min(2 * pause, 1000)) {
      Connection found = callAll();
      if (found != null) {
        return found;
      }
      boolean unreachable = patience.isOver() && UNREACHABLE.matcher(why).find();
      if (unreachable || (certain() && others != null && others.isOver())) {
        throw notFound(PATIENCE);
      }
      if (patience.isOver() && !told) {
        LOG.warn(
            "rank {} still looks for rank {} at {}{}", call.from(), call.meant(), where(), why);
        told = true;
      }
      check.run();
      Deadline.pause(pause);
    }
    throw notFound(limit);
  }

  private @Nullable Connection callAll() {
    for (int port = seat.port(); port < seat.port() + ports; port++) {
      for (String name : seat.addresses()) {
        try {
          for (InetAddress address : InetAddress.getAllByName(name)) {
            Connection found = call(new InetSocketAddress(address, port));
            if (found != null) {
              return found;
            }
          }
        } catch (UnknownHostException e) {
          why = ": unknown host " + e.getMessage(); // its name may yet be published
        }
      }
    }
    return null;
  }

  private boolean joins() {
    return call.purpose() == Handshake.JOIN;
  }

  /** Whether who listens there can be nobody else: no launcher's agent, no other machine's rank. */
  private boolean certain() {
    return joins() && ports == 1;
  }

  private String where() {
    return joins() ? config.master().place() : seat.toString();
  }

  private @Nullable Connection call(InetSocketAddress place) {
    try {
      Connection found = Connection.call(place, call, config.master());
      if (found == null) {
        why = ": another run listens there";
        answered = true;
        others = others == null ? Deadline.after(OTHERS) : others;
      }
      return found;
    } catch (ConnectException e) {
      why = answered ? why : ": " + e.getMessage();
    } catch (IOException e) {
      why = ": " + e.getMessage();
      answered = true;
      if (certain() && e instanceof SSLException) {
        throw new CommunicationException(
            "rank %d has no TLS that fits who listens at %s%s".formatted(call.from(), where(), why),
            e);
      }
    }
    return null;
  }

  private CommunicationException notFound(Duration limit) {
    return new CommunicationException(
        certain() && others != null
            ? "rank %d met another run at %s: each needs a port of its own (MASTER_PORT, xfrun's --master_port)"
                .formatted(call.from(), where())
            : "rank %d found no rank %d at %s within %d s%s"
                .formatted(call.from(), call.meant(), where(), limit.toSeconds(), why));
  }
}
