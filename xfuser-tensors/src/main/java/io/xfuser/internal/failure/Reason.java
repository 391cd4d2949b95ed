package io.xfuser.internal.failure;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.ReadOnlyFileSystemException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What a failure says, in one line: its own words and, where they leave it out, what the machine
 * said that lies beneath: no space, too many open files, a library that cannot be mapped.
 */
public final class Reason {
  private Reason() {}

  /** The line; at least the failure's kind. */
  public static String of(Throwable failure) {
    Throwable told = told(failure);
    String line = words(told);
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    @Nullable String beneath = null;
    for (Throwable e = told.getCause(); e != null && seen.add(e); e = e.getCause()) {
      if (isOfTheMachine(e) && (hasWords(e) || e instanceof ReadOnlyFileSystemException)) {
        beneath = words(e);
      }
    }
    return beneath == null || line.contains(beneath) || line.contains(core(beneath))
        ? line
        : line + ": " + beneath;
  }

  /** The first failure that has words of its own; the outermost kind if none has. */
  private static Throwable told(Throwable failure) {
    Throwable told = failure;
    Throwable outermost = failure;
    for (int depth = 0; depth < 16; depth++) {
      Throwable cause = told.getCause();
      if (cause == null || !(isEnvelope(told) || repeats(told, cause))) {
        return hasWords(told) ? told : outermost;
      }
      outermost = isEnvelope(outermost) || hasWords(outermost) ? cause : outermost;
      told = cause;
    }
    return outermost;
  }

  private static boolean hasWords(Throwable e) {
    String message = e.getMessage();
    return message != null && !message.isBlank();
  }

  private static boolean isEnvelope(Throwable e) {
    return e instanceof ExecutionException
        || e instanceof InvocationTargetException
        || e instanceof ExceptionInInitializerError;
  }

  /** Whether the message is missing, or only what {@code new X(cause)} makes of the cause. */
  private static boolean repeats(Throwable e, Throwable cause) {
    return !hasWords(e) || cause.toString().equals(e.getMessage());
  }

  /** Failures that say something of the machine and not of the program or its input. */
  private static boolean isOfTheMachine(Throwable e) {
    return e instanceof IOException
        || e instanceof LinkageError
        || e instanceof OutOfMemoryError
        || e instanceof ReadOnlyFileSystemException;
  }

  private static String words(Throwable e) {
    String message = e.getMessage();
    if (e instanceof FileSystemException file && file.getReason() == null && message != null) {
      String kind = kind(file);
      return kind.isEmpty() ? message : message + ": " + kind;
    }
    if (e instanceof ReadOnlyFileSystemException) {
      return "read-only file system";
    }
    if (e instanceof JsonProcessingException json && json.getLocation() != null) {
      return words(json, json.getLocation());
    }
    String name = e.getClass().getSimpleName();
    if (message == null || message.isBlank()) {
      return name;
    }
    String first = message.strip().lines().findFirst().orElse(name);
    return e instanceof java.net.UnknownHostException ? "unknown host " + first : first;
  }

  /** Where text is not JSON; lines and columns count from 1. */
  private static String words(JsonProcessingException e, JsonLocation at) {
    String more = "";
    if (e instanceof JsonEOFException) {
      more = ": it ends too early";
    } else if (e.getOriginalMessage().startsWith("Duplicate field")) {
      more = ": " + e.getOriginalMessage();
    }
    return "line %d, column %d%s".formatted(at.getLineNr(), at.getColumnNr(), more);
  }

  /** What a kind of failure stands for whose message is the file's name alone. */
  private static String kind(FileSystemException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or folder";
    } else if (e instanceof AccessDeniedException) {
      return "permission denied";
    } else if (e instanceof FileAlreadyExistsException) {
      return "exists already";
    } else if (e instanceof NotDirectoryException) {
      return "is not a folder";
    } else if (e instanceof DirectoryNotEmptyException) {
      return "the folder is not empty";
    }
    return "";
  }

  /** The part behind the last colon, which is the machine's own word. */
  private static String core(String words) {
    return words.substring(words.lastIndexOf(": ") < 0 ? 0 : words.lastIndexOf(": ") + 2);
  }
}
