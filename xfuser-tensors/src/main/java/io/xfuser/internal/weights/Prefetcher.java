package io.xfuser.internal.weights;

import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Reads tensors ahead of their use, on one thread for all ranks of a process that compute in one
 * place (ChunkFlow, arXiv 2605.11335). What several ranks ask for is read once, and released when
 * the last of them has let go of it. Nobody waits for another rank here: what nobody has begun to
 * read when a rank needs it, that rank reads itself.
 */
public final class Prefetcher implements AutoCloseable {
  private final int chunkBytes;
  private final Way way;
  private final Collectives collectives = new Collectives();
  private final ThreadLocal<ReadAhead> tallies = ThreadLocal.withInitial(() -> ReadAhead.NONE);
  private final Map<TensorMap, Reading> readings = new HashMap<>(); // guarded by itself
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread reader = new Thread(work, "xfuser-read-ahead");
            reader.setDaemon(true);
            return reader;
          });
  private volatile boolean closed;

  /** Reads files by {@code chunkBytes} at a time. */
  public Prefetcher(int chunkBytes) {
    this(chunkBytes, Supplier::get);
  }

  /** The same; what it reads goes {@code way}. */
  public Prefetcher(int chunkBytes, Way way) {
    this.chunkBytes = chunkBytes;
    this.way = way;
    thread.execute(() -> Torch.prepareThread(1));
  }

  /** How tensors come to where they are used. */
  public interface Way extends AutoCloseable {
    /** What {@code reading} returns, which reads tensors there. */
    boolean read(Supplier<Boolean> reading);

    /** The calling thread goes on with tensors that were read, whose reading has returned. */
    default void arrived() {}

    /** The calling thread has given out all work with the tensors of {@code hold}: releases it. */
    default void leave(TensorMap.Hold hold) {
      hold.close();
    }

    @Override
    default void close() {}
  }

  /** How many bytes of a file are read at a time. */
  public int chunkBytes() {
    return chunkBytes;
  }

  /** What the ranks are in; the reading ahead pauses meanwhile. */
  public Collectives collectives() {
    return collectives;
  }

  /** What the calling thread has had read, and has waited for, since it began. */
  public ReadAhead tally() {
    return tallies.get();
  }

  /** One rank's way through {@code layers}, of which none stays in memory. */
  public Ahead along(List<TensorMap> layers) {
    return along(layers, new BitSet());
  }

  /**
   * One rank's way through {@code layers}.
   *
   * @param stay those that are in memory, and not to be read
   */
  public Ahead along(List<TensorMap> layers, BitSet stay) {
    return new Ahead(this, layers, stay);
  }

  /** Begins to read {@code layer}, which stays until what is returned is closed. */
  Fetch fetch(TensorMap layer) {
    synchronized (readings) {
      Reading reading = readings.get(layer);
      boolean begins = reading == null;
      if (reading == null) {
        reading = new Reading(layer);
        readings.put(layer, reading);
      }
      reading.users++;
      if (begins && !layer.isLoaded()) {
        begin(reading);
      }
      return new Fetch(reading, begins);
    }
  }

  private void begin(Reading reading) {
    try {
      thread.execute(reading.task);
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("the tensors were released", e);
    }
  }

  /** Tensors that are read, or will be, for as long as somebody uses them. */
  private final class Reading {
    private final TensorMap layer;
    private final TensorMap.Hold hold;
    private final FutureTask<Boolean> task = new FutureTask<>(this::read);
    private int users;
    private volatile boolean wanted; // somebody waits for them
    private volatile boolean dropped;

    Reading(TensorMap layer) {
      this.layer = layer;
      this.hold = layer.hold();
    }

    private boolean read() {
      try {
        return !dropped && way.read(() -> ReadPace.set(this::keepPace, layer::load));
      } finally {
        if (dropped) {
          layer.release();
        }
      }
    }

    private void keepPace(long bytes) {
      collectives.awaitNone(() -> wanted || dropped || closed);
      if (dropped || closed) {
        throw new CancellationException("nobody needs it any more");
      }
    }
  }

  /** One rank's use of a layer. */
  final class Fetch implements TensorMap.Hold {
    private final Reading reading;
    private final boolean first;

    private Fetch(Reading reading, boolean first) {
      this.reading = reading;
      this.first = first;
    }

    TensorMap layer() {
      return reading.layer;
    }

    /** Returns when the tensors are in memory; what reading them has thrown is thrown. */
    void await() {
      long start = System.nanoTime();
      reading.wanted = true;
      collectives.look();
      reading.task.run(); // by this thread, if nobody has begun
      boolean read = result(reading.task);
      way.arrived();
      long bytes = first && read ? reading.layer.bytes() : 0;
      tallies.set(tallies.get().plus(new ReadAhead(bytes, System.nanoTime() - start)));
    }

    @Override
    public void close() {
      synchronized (readings) {
        reading.users--;
        if (reading.users > 0) {
          return;
        }
        readings.remove(reading.layer);
        reading.dropped = true;
      }
      collectives.look();
      way.leave(reading.hold);
    }
  }

  private static boolean result(FutureTask<Boolean> task) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true; // ends no request by itself: see RankRun.activity
        }
      }
    } catch (ExecutionException e) {
      throw unchecked(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static RuntimeException unchecked(ExecutionException e) {
    if (e.getCause() instanceof Error error) {
      throw error;
    }
    return e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
  }

  /**
   * Stops reading, in the midst of a layer too, and waits until nothing is read; no rank may be on
   * its way any more.
   */
  @Override
  public void close() {
    closed = true;
    collectives.look();
    thread.shutdown();
    try {
      boolean unused = thread.awaitTermination(1, TimeUnit.MINUTES); // for one chunk
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    way.close();
  }
}
