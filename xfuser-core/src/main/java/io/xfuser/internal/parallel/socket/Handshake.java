package io.xfuser.internal.parallel.socket;

import io.xfuser.failure.CommunicationException;
import io.xfuser.parallel.Secret;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.parallel.Tls;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What both sides of a new connection say first: an opening of fixed length, and proofs that they
 * know the secret, first of the one that calls. Nothing else of a connection is read before.
 *
 * <pre>
 * calling     opening(purpose, world, meant, from, random)
 * listening   CHALLENGE random                               or ANOTHER_WORLD, or REJECTED sentence
 * calling     HMAC(secret, "calling" opening random)
 * listening   ACCEPTED HMAC(secret, "listening" opening random)   or REJECTED sentence
 * </pre>
 */
final class Handshake {
  /** Starts every connection: "xfuser" and two bytes that no text has. */
  static final long MAGIC = 0x78667573_6572F101L;

  /** Of the messages between ranks: all of them must speak the same. */
  static final int VERSION = 4;

  /** Of a connection: to join. */
  static final byte JOIN = 1;

  /** Of a connection: signs of life and failures. */
  static final byte SIGNALS = 2;

  /** Of a connection: tensors. */
  static final byte TENSORS = 3;

  /** How long a rank may take to say who it is, and what it wants. */
  static final Duration LIMIT = Duration.ofSeconds(10);

  private static final byte REJECTED = 2; // as in the first version, which must understand it
  private static final byte ANOTHER_WORLD = 3;
  private static final byte CHALLENGE = 4;
  private static final byte ACCEPTED = 5;

  private static final int PREFIX = Long.BYTES + Integer.BYTES;
  private static final int REST = 1 + Secret.BYTES + 2 * Integer.BYTES + Secret.BYTES;
  private static final String NO_RANK = "no rank listens there, or one that has TLS";
  private static final int MAX_SENTENCE = 500;
  private static final String CALLING = "calling";
  private static final String LISTENING = "listening";

  private Handshake() {}

  /**
   * Which connection it is to be.
   *
   * @param purpose JOIN, SIGNALS or TENSORS
   * @param world tells this world from others
   * @param meant the rank that is called
   * @param from the rank that calls
   */
  record Call(byte purpose, String world, int meant, int from) {
    private byte[] encode(byte[] random) {
      ByteBuffer out = ByteBuffer.allocate(PREFIX + REST);
      out.putLong(MAGIC).putInt(VERSION).put(purpose).put(Secret.digest(world));
      return out.putInt(meant).putInt(from).put(random).array();
    }
  }

  /**
   * Who listens.
   *
   * @param worlds what a connection may be meant for
   * @param rank this rank
   * @param secret what who calls must know
   * @param tls how connections are encrypted
   * @param refused told in a sentence whom it was refused to, and why
   */
  record Listening(
      List<String> worlds, int rank, Secret secret, Tls tls, Consumer<String> refused) {

    /** The one of {@link #worlds} whose digest this is. */
    private Optional<String> world(byte[] digest) {
      return worlds.stream()
          .filter(world -> MessageDigest.isEqual(digest, Secret.digest(world)))
          .findFirst();
    }
  }

  /** What connections to join are meant for. */
  static String job(SocketConfig.Master master) {
    return "job " + master.job();
  }

  /** What connections of those that have joined are meant for. */
  static String session(String drawn) {
    return "session " + drawn;
  }

  /**
   * The side that calls.
   *
   * @return whether the rank that is meant listens there, else another one or another world
   * @throws CommunicationException if it speaks another protocol, or one side does not know the
   *     secret
   */
  static boolean call(Connection connection, Call opening, Secret secret) throws IOException {
    byte[] sent = opening.encode(Secret.random());
    DataInputStream in = connection.in(LIMIT);
    OutputStream out = connection.channel().socket().getOutputStream();
    out.write(sent);
    byte answer;
    try {
      answer = in.readByte();
    } catch (EOFException e) {
      throw new IOException(NO_RANK, e);
    }
    if (answer == ANOTHER_WORLD) {
      return false;
    }
    expect(CHALLENGE, answer, in);
    byte[] transcript = join(sent, in.readNBytes(Secret.BYTES));
    out.write(secret.proof(CALLING, transcript));
    expect(ACCEPTED, in.readByte(), in);
    if (!secret.isProved(LISTENING, transcript, in.readNBytes(Secret.BYTES))) {
      throw new CommunicationException(
          "who listens at %s does not know the secret of rank %d"
              .formatted(connection.remote().getHostAddress(), opening.from()));
    }
    return true;
  }

  private static void expect(byte expected, byte answer, DataInputStream in) throws IOException {
    if (answer == REJECTED) {
      String sentence = in.readUTF().replaceAll("\\p{Cntrl}", " ");
      throw new CommunicationException(
          sentence.substring(0, Math.min(sentence.length(), MAX_SENTENCE)));
    }
    if (answer != expected) {
      throw new IOException(NO_RANK);
    }
  }

  /**
   * The side that listens.
   *
   * @throws IOException if the connection is not of this world, or breaks; it is to be closed
   */
  static Call answer(Connection connection, Listening own) throws IOException {
    DataInputStream in = connection.in(LIMIT);
    OutputStream out = connection.channel().socket().getOutputStream();
    byte[] prefix = exactly(in, PREFIX);
    ByteBuffer read = ByteBuffer.wrap(prefix);
    if (read.getLong() != MAGIC) {
      throw new IOException("not an xfuser rank");
    }
    int version = read.getInt();
    if (version != VERSION) {
      throw reject(
          connection,
          own,
          "a rank speaks protocol %d, but rank %d speaks %d"
              .formatted(version, own.rank(), VERSION));
    }
    byte[] rest = exactly(in, REST);
    read = ByteBuffer.wrap(rest);
    final byte purpose = read.get();
    byte[] digest = new byte[Secret.BYTES];
    read.get(digest);
    String world = own.world(digest).orElse(null);
    int meant = read.getInt();
    int from = read.getInt();
    // hosts may have equal addresses (of a container's bridge, say), and equal ports on them
    if (world == null || meant != own.rank()) {
      out.write(ANOTHER_WORLD);
      throw new IOException("for another rank or world");
    }
    byte[] random = Secret.random();
    byte[] transcript = join(join(prefix, rest), random);
    out.write(join(new byte[] {CHALLENGE}, random));
    byte[] proof = exactly(in, Secret.BYTES);
    if (!own.secret().isProved(CALLING, transcript, proof)) {
      boolean none = Secret.NONE.isProved(CALLING, transcript, proof);
      throw reject(
          connection,
          own,
          "rank %d at %s has %s secret than rank %d (XFUSER_SECRET_FILE or XFUSER_SECRET)"
              .formatted(
                  from, connection.remote().getHostAddress(), none ? "no" : "another", own.rank())
              .replace("no secret than rank", "no secret, unlike rank"));
    }
    out.write(join(new byte[] {ACCEPTED}, own.secret().proof(LISTENING, transcript)));
    return new Call(purpose, world, meant, from);
  }

  private static IOException reject(Connection connection, Listening own, String sentence)
      throws IOException {
    own.refused().accept(sentence);
    connection.send(REJECTED, out -> out.writeUTF(sentence));
    return new IOException(sentence);
  }

  private static byte[] exactly(DataInputStream in, int length) throws IOException {
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return bytes;
  }

  private static byte[] join(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }
}
