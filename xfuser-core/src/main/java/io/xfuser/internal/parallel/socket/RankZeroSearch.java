package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.parallel.OwnAddresses;
import io.xfuser.parallel.SocketConfig;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls wherever rank 0 may listen until it answers, however late it starts. */
final class RankZeroSearch {
  private static final Logger LOG = LoggerFactory.getLogger(RankZeroSearch.class);

  /** How long a run that ends may hold the port where this one is to meet. */
  private static final Duration OTHERS = Duration.ofSeconds(5);

  /** After so long a search that goes on says so, and one without a route ends. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  /** What does not become better by waiting longer: no route, or IPv4 on a machine of IPv6. */
  private static final Pattern UNREACHABLE =
      Pattern.compile("Network is unreachable|family|address type");

  private final SocketConfig config;
  private final SocketConfig.Master master;
  private final Handshake.Call call;
  private String why = "";
  private boolean answered; // by more than the refusal of a port where nobody listens
  private @Nullable Deadline others; // set when another run was met

  RankZeroSearch(SocketConfig config) {
    this.config = config;
    this.master = config.master();
    this.call = new Handshake.Call(Handshake.JOIN, "job " + master.job(), 0, config.rank());
  }

  /**
   * The connection to rank 0, after the handshake.
   *
   * @throws CommunicationException in one sentence, if it is not found in time
   */
  Connection find() {
    Deadline deadline = Deadline.after(config.limits().rendezvous());
    Deadline patience = Deadline.after(PATIENCE);
    boolean told = false;
    for (long pause = 20; !deadline.isOver(); pause = Math.min(2 * pause, 1000)) {
      Connection found = callAll();
      if (found != null) {
        return found;
      }
      boolean unreachable = patience.isOver() && UNREACHABLE.matcher(why).find();
      if (unreachable || (others != null && others.isOver() && master.ports() == 1)) {
        throw notFound(PATIENCE); // another port may be the right one if there are several
      }
      if (patience.isOver() && !told) {
        LOG.warn("rank {} still looks for rank 0 at {}{}", config.rank(), master.place(), why);
        told = true;
      }
      Deadline.pause(pause);
    }
    throw notFound(config.limits().rendezvous());
  }

  private @Nullable Connection callAll() {
    try {
      List<InetAddress> addresses =
          master.local()
              ? OwnAddresses.loopbacks(master.address())
              : List.of(InetAddress.getAllByName(master.address()));
      for (int port = master.port(); port < master.port() + master.ports(); port++) {
        for (InetAddress address : addresses) {
          Connection found = call(new InetSocketAddress(address, port));
          if (found != null) {
            return found;
          }
        }
      }
    } catch (UnknownHostException e) {
      why = ": unknown host " + e.getMessage(); // its name may yet be published
    }
    return null;
  }

  private @Nullable Connection call(InetSocketAddress address) {
    try {
      Connection found = Connection.call(address, call, master);
      if (found == null && others == null) {
        others = Deadline.after(OTHERS);
      }
      return found;
    } catch (SSLException e) {
      why = ": " + e.getMessage();
      if (master.ports() == 1) { // else it may be the agent of a launcher, which has no TLS
        throw new CommunicationException(
            "rank %d has no TLS that fits who listens at %s%s"
                .formatted(config.rank(), master.place(), why),
            e);
      }
    } catch (IOException e) {
      boolean refused = e instanceof ConnectException;
      if (!refused || !answered) {
        why = ": " + e.getMessage();
        answered = !refused;
      }
    }
    return null;
  }

  private CommunicationException notFound(Duration limit) {
    return new CommunicationException(
        others != null
            ? "rank %d met another run at %s: each needs a port of its own (MASTER_PORT, xfrun's --master_port)"
                .formatted(config.rank(), master.place())
            : "rank %d found no rank 0 at %s within %d s%s"
                .formatted(config.rank(), master.place(), limit.toSeconds(), why));
  }
}
