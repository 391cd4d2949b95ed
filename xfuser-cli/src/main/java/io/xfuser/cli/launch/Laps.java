package io.xfuser.cli.launch;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** How long each part of this process's start took. */
public final class Laps {
  private final Map<String, Long> millis = new LinkedHashMap<>();
  private Instant last = ProcessHandle.current().info().startInstant().orElseGet(Instant::now);

  /** With nothing but the start of Java behind it. */
  public Laps() {
    end("Java");
  }

  /** {@code what} is over, which began when the one before it was. */
  public void end(String what) {
    Instant now = Instant.now();
    millis.put(what, Duration.between(last, now).toMillis());
    last = now;
  }

  /** {@code Java 410 ms, opening 800 ms}. */
  @Override
  public String toString() {
    return millis.entrySet().stream()
        .map(lap -> "%s %d ms".formatted(lap.getKey(), lap.getValue()))
        .collect(Collectors.joining(", "));
  }
}
