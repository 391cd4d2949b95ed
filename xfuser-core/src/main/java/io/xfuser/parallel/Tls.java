package io.xfuser.parallel;

import io.xfuser.failure.ArgumentException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * TLS 1.3 between the ranks, by files: each shows a certificate, and accepts those of the ranks'
 * own authority alone. Names in certificates are not compared, because ranks reach one another by
 * whatever addresses they have; so the authority is to sign for ranks and nobody else.
 */
public final class Tls {
  /** Connections that are not encrypted. */
  public static final Tls NONE = new Tls(null);

  private static final String PROTOCOL = "TLSv1.3";
  private static final char[] IN_MEMORY = new char[0]; // a password of what is never written

  private final @Nullable SSLContext context;

  private Tls(@Nullable SSLContext context) {
    this.context = context;
  }

  /**
   * By files in the PEM format.
   *
   * @param certificate this rank's, with those between it and the authority's after it
   * @param key its private key, PKCS#8 and not encrypted ({@code BEGIN PRIVATE KEY})
   * @param authority the certificate, or certificates, by which those of the others were signed
   * @throws ArgumentException in one sentence, if a file cannot be read or does not fit
   */
  public static Tls of(Path certificate, Path key, Path authority) {
    Path reading = certificate;
    try {
      KeyStore own = empty();
      Certificate[] chain = certificates(certificate).toArray(Certificate[]::new);
      reading = key;
      own.setKeyEntry("rank", privateKey(key), IN_MEMORY, chain);
      reading = authority;
      KeyStore trusted = empty();
      for (Certificate each : certificates(authority)) {
        trusted.setCertificateEntry("authority" + trusted.size(), each);
      }
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, IN_MEMORY);
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance(PROTOCOL);
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return new Tls(context);
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      throw new ArgumentException("TLS cannot use %s: %s".formatted(reading, e), e);
    }
  }

  /** Whether connections are encrypted. */
  public boolean isOn() {
    return context != null;
  }

  /**
   * Encrypts a connection, and makes sure who is at its other end.
   *
   * @param socket the connection
   * @param remote the address at its other end
   * @param calling whether this rank has called
   * @throws IOException if the other side has no TLS, or no certificate of the authority's
   */
  public SSLSocket over(Socket socket, String remote, boolean calling) throws IOException {
    if (context == null) {
      throw new IllegalStateException("no TLS");
    }
    SSLSocket secure = (SSLSocket) context.getSocketFactory().createSocket(socket, remote, 0, true);
    secure.setUseClientMode(calling);
    secure.setEnabledProtocols(new String[] {PROTOCOL});
    secure.setNeedClientAuth(true);
    secure.startHandshake();
    return secure;
  }

  private static KeyStore empty() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static List<Certificate> certificates(Path file)
      throws IOException, GeneralSecurityException {
    byte[] pem = Files.readAllBytes(file);
    List<Certificate> found =
        List.copyOf(
            CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(pem)));
    if (found.isEmpty()) {
      throw new IOException("there is no certificate in it");
    }
    return found;
  }

  private static PrivateKey privateKey(Path file) throws IOException, GeneralSecurityException {
    String pem = Files.readString(file, StandardCharsets.US_ASCII);
    String begin = "-----BEGIN PRIVATE KEY-----";
    int start = pem.indexOf(begin);
    int end = pem.indexOf("-----END PRIVATE KEY-----");
    if (start < 0 || end < start) {
      throw new IOException("there is no BEGIN PRIVATE KEY in it (openssl pkcs8 -topk8 -nocrypt)");
    }
    byte[] der = Base64.getMimeDecoder().decode(pem.substring(start + begin.length(), end));
    IOException neither = new IOException("its key is neither EC nor RSA nor Ed25519");
    for (String algorithm : List.of("EC", "RSA", "Ed25519")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      } catch (InvalidKeySpecException e) {
        neither.addSuppressed(e); // of another algorithm
      }
    }
    throw neither;
  }

  /** Never a key. */
  @Override
  public String toString() {
    return isOn() ? "TLS" : "no TLS";
  }
}
