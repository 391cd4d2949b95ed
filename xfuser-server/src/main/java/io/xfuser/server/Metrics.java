package io.xfuser.server;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.xfuser.failure.CancelledException;
import io.xfuser.progress.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** What the server counts and times. */
final class Metrics {
  private static final Path STATUS = Path.of("/proc/self/status");

  private final MeterRegistry registry;

  Metrics(MeterRegistry registry) {
    this.registry = registry;
    for (MeterBinder binder :
        List.of(
            new JvmMemoryMetrics(),
            new JvmThreadMetrics(),
            new FileDescriptorMetrics(),
            new ProcessorMetrics())) {
      binder.bindTo(registry);
    }
    if (Files.isReadable(STATUS)) { // libtorch's memory is not the JVM's
      Gauge.builder("xfuser.resident.memory", Metrics::residentBytes)
          .baseUnit("bytes")
          .description("Memory of the process, weights included")
          .register(registry);
    }
  }

  /** Bytes of this process that are in memory; NaN where that cannot be known. */
  static double residentBytes() {
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return Double.NaN;
    }
  }

  /** An answer of a route. */
  void answered(String route, int status, long nanos) {
    Timer.builder("xfuser.http.requests")
        .description("Answers by route and status")
        .tag("route", route)
        .tag("status", String.valueOf(status))
        .register(registry)
        .record(nanos, TimeUnit.NANOSECONDS);
  }

  /** Those of one model. */
  OfModel of(String model, IntSupplier waiting, IntSupplier present) {
    Gauge.builder("xfuser.waiting", waiting::getAsInt)
        .description("Requests that wait")
        .tag("model", model)
        .register(registry);
    Gauge.builder("xfuser.requests.present", present::getAsInt)
        .description("Requests that wait or are drawn")
        .tag("model", model)
        .register(registry);
    return new OfModel(model);
  }

  /** One model's. */
  final class OfModel {
    private final String model;
    private final Counter steps;
    private @Nullable String phase; // listeners are called one event at a time
    private long phaseBegan;

    private OfModel(String model) {
      this.model = model;
      this.steps =
          Counter.builder("xfuser.steps")
              .description("Denoising steps taken")
              .tag("model", model)
              .register(registry);
    }

    private Timer timer(String name, String says, String tag, String value) {
      return Timer.builder(name)
          .description(says)
          .tag("model", model)
          .tag(tag, value)
          .register(registry);
    }

    /** A request has waited so long. */
    void began(long nanos) {
      timer("xfuser.queue", "Waiting of requests", "outcome", "began")
          .record(nanos, TimeUnit.NANOSECONDS);
    }

    /** A request is so far. */
    synchronized void progressed(Progress progress) {
      String now =
          progress.getClass().getSimpleName().toLowerCase(Locale.ROOT)
              + (progress instanceof Progress.Loading loading
                  ? "_" + loading.component().name().toLowerCase(Locale.ROOT)
                  : "");
      if (!now.equals(phase)) {
        phase = now;
        phaseBegan = System.nanoTime();
      }
      if (Model.isStep(progress)) {
        steps.increment();
      }
      if (progress.complete()) {
        timer("xfuser.phase", "Time by phase", "phase", now)
            .record(System.nanoTime() - phaseBegan, TimeUnit.NANOSECONDS);
        phase = null;
      }
    }

    /** A request is over. */
    void over(Drawing drawing, @Nullable Throwable failure) {
      Throwable why = failure instanceof CompletionException e ? e.getCause() : failure;
      String outcome =
          why == null ? "drawn" : why instanceof CancelledException ? "cancelled" : "failed";
      timer("xfuser.requests", "Requests from arrival to end", "outcome", outcome)
          .record(drawing.age(), TimeUnit.NANOSECONDS);
      if (why == null) {
        timer("xfuser.drawing", "Requests without their wait", "outcome", outcome)
            .record(drawing.age() - drawing.waited(), TimeUnit.NANOSECONDS);
      }
    }

    /** So many pictures, or videos, were made. */
    void pictures(int number) {
      Counter.builder("xfuser.pictures")
          .description("Pictures and videos made")
          .tag("model", model)
          .register(registry)
          .increment(number);
    }

    /** What a request takes without its wait, on average; 0 if none was drawn. */
    double meanSeconds() {
      return timer("xfuser.drawing", "Requests without their wait", "outcome", "drawn")
          .mean(TimeUnit.SECONDS);
    }
  }
}
