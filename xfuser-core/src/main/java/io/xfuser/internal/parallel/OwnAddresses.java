package io.xfuser.internal.parallel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This machine's addresses: at which of them a rank listens. */
public final class OwnAddresses {
  private static final Logger LOG = LoggerFactory.getLogger(OwnAddresses.class);
  private static final List<String> LOOPBACKS = List.of("127.0.0.1", "::1");

  private static final int PROBE_MILLIS = 2_000;

  private OwnAddresses() {}

  /** Whether {@code address} is the loopback's, by number or as {@code localhost}. */
  public static boolean isLoopback(String address) {
    if (address.equals("localhost")) {
      return true;
    }
    boolean number = address.indexOf(':') >= 0 || address.matches("[0-9.]+");
    try {
      return number && InetAddress.getByName(address).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** Where {@code address}, the loopback's, may mean; whatever the machine has of it. */
  public static List<InetAddress> loopbacks(String address) throws UnknownHostException {
    Set<String> numbers = new TreeSet<>();
    List<InetAddress> all = new ArrayList<>();
    List<String> names = new ArrayList<>(LOOPBACKS);
    names.add(0, address);
    for (String name : names) {
      try {
        for (InetAddress one : InetAddress.getAllByName(name)) {
          if (one.isLoopbackAddress() && numbers.add(one.getHostAddress())) {
            all.add(one);
          }
        }
      } catch (UnknownHostException e) {
        // a machine without that line in its table of hosts
      }
    }
    return all;
  }

  /**
   * The one of {@link #loopbacks} that this machine has: of IPv4, of IPv6, or another that was
   * given.
   *
   * @throws IOException in one sentence, if it has none
   */
  public static InetAddress loopback(String address) throws IOException {
    for (InetAddress one : loopbacks(address)) {
      // an interface that is down can be listened at, but not reached
      try (ServerSocket probe = new ServerSocket(0, 1, one);
          Socket caller = new Socket()) {
        caller.connect(probe.getLocalSocketAddress(), PROBE_MILLIS);
        return probe.getInetAddress();
      } catch (IOException e) {
        LOG.debug("this machine has no {}", one, e);
      }
    }
    throw new IOException(
        "this machine has no loopback address, at which its ranks are to meet (ip link set lo up"
            + " brings it up)");
  }

  /**
   * The address at which rank 0 listens: that of {@code name} which is this machine's, or all of
   * them, {@code null}, where the name tells of none that other machines could reach.
   */
  public static @Nullable InetAddress named(String name) {
    try {
      for (InetAddress address : InetAddress.getAllByName(name)) {
        if (!address.isLoopbackAddress() && NetworkInterface.getByInetAddress(address) != null) {
          return address;
        }
      }
    } catch (IOException e) {
      LOG.debug("rank 0 cannot resolve {}", name, e);
    }
    LOG.info("{} is no address of this machine's own: rank 0 listens at all it has", name);
    return null;
  }

  /** All addresses that other machines may know this one by. */
  public static List<String> all() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .filter(link -> isUp(link))
        .flatMap(NetworkInterface::inetAddresses)
        .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
        .map(OwnAddresses::text)
        .toList();
  }

  /** Java adds the interface's name to IPv6 addresses; other machines have others. */
  public static String text(InetAddress address) {
    return address.getHostAddress().replaceFirst("%.*", "");
  }

  private static boolean isUp(NetworkInterface link) {
    try {
      return link.isUp();
    } catch (SocketException e) {
      return false;
    }
  }
}
