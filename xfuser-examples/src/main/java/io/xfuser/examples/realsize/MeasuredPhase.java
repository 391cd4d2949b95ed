package io.xfuser.examples.realsize;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A part of a request.
 *
 * @param name of it
 * @param seconds it took
 * @param cpuSeconds of all threads
 * @param peakBytes the most anonymous memory that the process had in it
 */
record MeasuredPhase(
    @JsonProperty("name") String name,
    @JsonProperty("s") double seconds,
    @JsonProperty("cpu_s") double cpuSeconds,
    @JsonProperty("peak_anonymous_bytes") long peakBytes) {
  static MeasuredPhase of(String name, Meter meter, long from, long to) {
    Meter.Usage usage = meter.between(from, to);
    return new MeasuredPhase(name, usage.seconds(), usage.cpuSeconds(), usage.peakBytes());
  }
}
