package io.xfuser.parallel;

import io.xfuser.failure.ArgumentException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What the ranks of a world know and nobody else. They prove it to one another when they connect,
 * by HMAC-SHA256 over what both sides have drawn at random, and never send it.
 */
public final class Secret {
  /** Of ranks that need none, because they meet at the loopback address. */
  public static final Secret NONE =
      new Secret("xfuser without a secret".getBytes(StandardCharsets.UTF_8));

  /** Bytes of a proof, of a number drawn and of a digest. */
  public static final int BYTES = 32;

  private static final String ALGORITHM = "HmacSHA256";
  private static final int SHORTEST = 16;
  private static final int LONGEST = 4096;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final byte[] key;

  private Secret(byte[] key) {
    this.key = key;
  }

  /**
   * A secret that is {@code text}, without the white space around it.
   *
   * @throws ArgumentException if it has fewer than 16 bytes or more than 4,096
   */
  public static Secret of(String text) {
    byte[] key = text.strip().getBytes(StandardCharsets.UTF_8);
    if (key.length < SHORTEST || key.length > LONGEST) {
      throw new ArgumentException(
          "the secret of the ranks has %d bytes, but must have %d to %,d: openssl rand -hex 32 makes one"
              .formatted(key.length, SHORTEST, LONGEST));
    }
    return new Secret(key);
  }

  /**
   * The secret in {@code file}.
   *
   * @throws ArgumentException if the file cannot be read, or its text cannot be one
   */
  public static Secret read(Path file) {
    try {
      if (Files.size(file) > 2 * LONGEST) {
        throw new ArgumentException(file + " is too large for the secret of the ranks");
      }
      return of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ArgumentException("the secret of the ranks cannot be read: " + e, e);
    }
  }

  /** A new one, as the text of {@link #of}. */
  public static String draw() {
    return HexFormat.of().formatHex(random());
  }

  /** Bytes that nobody can foretell. */
  public static byte[] random() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  /** The digest of {@code text}, by which connections of other worlds are told apart. */
  public static byte[] digest(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  /** What shows that {@code role} knows this secret and has seen {@code transcript}. */
  public byte[] proof(String role, byte[] transcript) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(key, ALGORITHM));
      mac.update(role.getBytes(StandardCharsets.UTF_8));
      return mac.doFinal(transcript);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  /** Whether {@code proof} is {@link #proof}; takes as long for any that is not. */
  public boolean isProved(String role, byte[] transcript, byte[] proof) {
    return MessageDigest.isEqual(proof(role, transcript), proof);
  }

  /** Whether there is one. */
  boolean isGiven() {
    return this != NONE;
  }

  /** Never what it is. */
  @Override
  public String toString() {
    return isGiven() ? "a secret" : "no secret";
  }
}
