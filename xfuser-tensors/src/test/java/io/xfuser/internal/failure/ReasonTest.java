package io.xfuser.internal.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ReasonTest {
  static Stream<Arguments> reasons() {
    IOException full = new IOException("No space left on device");
    FileSystemException handles = new FileSystemException("a.json", null, "Too many open files");
    return Stream.of(
        Arguments.of(full, "No space left on device"),
        Arguments.of(new UncheckedIOException(full), "No space left on device"),
        Arguments.of(
            new ExecutionException("x", new IllegalStateException(full)), full.getMessage()),
        Arguments.of(new RuntimeException("no engine", full), "no engine: No space left on device"),
        Arguments.of(
            new RuntimeException("no engine", new RuntimeException("deeper", full)),
            "no engine: No space left on device"),
        Arguments.of(
            new RuntimeException("writing: No space left on device", full),
            "writing: No space left on device"),
        Arguments.of(handles, "a.json: Too many open files"),
        Arguments.of(
            new IllegalStateException("half read", handles),
            "half read: a.json: Too many open files"),
        Arguments.of(
            new IllegalStateException("no a.json: Too many open files", handles),
            "no a.json: Too many open files"),
        Arguments.of(new NoSuchFileException("b"), "b: no such file or folder"),
        Arguments.of(new AccessDeniedException("b"), "b: permission denied"),
        Arguments.of(
            new ExceptionInInitializerError(new UnsatisfiedLinkError("lib.so: failed to map")),
            "lib.so: failed to map"),
        Arguments.of(
            new IllegalArgumentException("a bad number", new NumberFormatException("x")),
            "a bad number"),
        Arguments.of(new IllegalStateException("one\ntwo"), "one"),
        Arguments.of(new NullPointerException(), "NullPointerException"),
        Arguments.of(
            new UncheckedIOException((IOException) new IOException().initCause(new EOFException())),
            "IOException"));
  }

  @ParameterizedTest
  @MethodSource("reasons")
  void theLineEndsInWhatTheMachineSaid(Throwable failure, String line) {
    assertThat(Reason.of(failure)).isEqualTo(line);
  }

  @ParameterizedTest
  @MethodSource("circles")
  void aCircleOfCausesEnds(Throwable failure) {
    assertThat(Reason.of(failure)).isNotEmpty();
  }

  static Stream<Throwable> circles() {
    IOException first = new IOException((String) null);
    first.initCause(new IOException(null, first));
    return Stream.of(first);
  }
}
