package io.xfuser.internal.natives;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the process end while ranks compute, as it does when it is told to (SIGTERM, Ctrl-C). Java's
 * end calls C's {@code exit}, which runs the destructors of libtorch and of all that it uses,
 * though other threads are in the midst of an operator, for seconds perhaps: those crash then, and
 * in place of the end there is Java's report of it. So, where something is being computed when the
 * end begins, the process ends without destructors. Nothing is lost: what is written Java writes,
 * and memory is the system's. For glibc.
 */
public final class EndWhileComputing {
  private static final Logger LOG = LoggerFactory.getLogger(EndWhileComputing.class);

  private EndWhileComputing() {}

  /** What {@code computing} returns, during which the process may end. */
  public static <T> T during(Supplier<T> computing) {
    Thread atEnd = new Thread(EndWhileComputing::leaveOutDestructors, "xfuser-end");
    try {
      Runtime.getRuntime().addShutdownHook(atEnd);
    } catch (IllegalStateException e) {
      leaveOutDestructors(); // the end has begun
    }
    try {
      return computing.get();
    } finally {
      forget(atEnd);
    }
  }

  private static void forget(Thread atEnd) {
    try {
      Runtime.getRuntime().removeShutdownHook(atEnd);
    } catch (IllegalStateException e) {
      return; // the end has begun, and need not be another
    }
  }

  /** What is registered last is called first: {@code _exit}, with the process's status. */
  private static void leaveOutDestructors() {
    if (!Platform.isLinux()) {
      return; // others have no on_exit
    }
    try {
      NativeLibrary process = NativeLibrary.getProcess();
      Object[] handlerAndArgument = {process.getFunction("_exit"), null};
      process.getFunction("on_exit").invokeInt(handlerAndArgument);
    } catch (LinkageError e) { // musl has none
      LOG.debug("the process ends with libtorch's destructors", e);
    }
  }
}
