package io.xfuser.spring;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.xfuser.report.RunReport;
import java.util.concurrent.TimeUnit;

/**
 * Meters of one model, which the tag {@code model} names: {@code xfuser.requests} (a timer, with
 * the time that requests wait, by {@code outcome}), {@code xfuser.phase} (a timer by {@code phase}:
 * load, text, denoise, decode), {@code xfuser.steps}, {@code xfuser.pictures}, {@code
 * xfuser.waiting}.
 */
final class DrawingMetrics implements MeterBinder {
  private final Drawings drawings;
  private final Tags model;

  DrawingMetrics(Drawings drawings, String model) {
    this.drawings = drawings;
    this.model = Tags.of("model", model);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    Gauge.builder("xfuser.waiting", drawings, Drawings::waiting).tags(model).register(registry);
    Counter steps = registry.counter("xfuser.steps", model);
    Counter pictures = registry.counter("xfuser.pictures", model);
    drawings.observe(
        (outcome, took, drawn) -> {
          registry.timer("xfuser.requests", model.and("outcome", outcome)).record(took);
          if (drawn != null) {
            RunReport report = drawn.report();
            steps.increment(report.stepSeconds().size());
            pictures.increment(drawn.images().size());
            phase(registry, "load", report.loadSeconds());
            phase(registry, "text", report.textEncodeSeconds());
            phase(registry, "denoise", report.denoiseSeconds());
            phase(registry, "decode", report.vaeSeconds());
          }
        });
  }

  private void phase(MeterRegistry registry, String name, double seconds) {
    long nanos = (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    registry.timer("xfuser.phase", model.and("phase", name)).record(nanos, TimeUnit.NANOSECONDS);
  }
}
