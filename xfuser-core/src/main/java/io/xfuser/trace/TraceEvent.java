package io.xfuser.trace;

import io.xfuser.internal.parallel.Channel;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Something that a rank did.
 *
 * @param what the kind of it
 * @param start when it began, in nanoseconds of the rank's own clock, or in a {@link RunTrace}
 *     since the first event of any rank
 * @param nanos how long it took
 * @param at step and patch, null outside of the denoising
 * @param message what was sent or waited for, null for everything else
 */
public record TraceEvent(
    Activity what, long start, long nanos, @Nullable MicroStep at, @Nullable Message message) {

  /** When it ended, on the clock of {@link #start}. */
  public long end() {
    return start + nanos;
  }

  /** The same on a clock that shows {@code offset} less. */
  TraceEvent earlier(long offset) {
    return new TraceEvent(what, start - offset, nanos, at, message);
  }

  /**
   * A message.
   *
   * @param axis what it is about
   * @param operation what it is for, {@code all-to-all} for example; {@code send} of what was sent
   * @param peer the rank at the other end
   * @param bytes of its tensors
   * @param number how many messages went before it from the same rank to the same rank about the
   *     same
   */
  public record Message(Channel axis, String operation, int peer, long bytes, long number) {}

  /**
   * The part of the denoising that something belongs to.
   *
   * @param step the step, from 0
   * @param from the first patch that is computed
   * @param to one past the last patch
   * @param patches all patches of the picture
   */
  public record MicroStep(int step, int from, int to, int patches) {
    /** Whether the whole picture is computed together. */
    public boolean whole() {
      return to - from == patches;
    }
  }

  /** What a rank spends time with. */
  public enum Activity {
    /**
     * Loading the transformer's blocks of this rank, or the autoencoder of one that only decodes.
     */
    LOAD("load"),
    /** Text encoding, and bringing the result to the ranks of the same pictures. */
    TEXT("text"),
    /** What is computed from text and timestep alone, once per request and once per step. */
    CONDITION("compute"),
    /** Noise, and buffers for keys and values. */
    PREPARE("compute"),
    /** From latents to hidden states, on the first stage. */
    EMBED("compute"),
    /** The transformer blocks of this rank. */
    BLOCKS("compute"),
    /** From hidden states to the next latents, on the last stage: head, guidance, scheduler. */
    HEAD("compute"),
    /** The autoencoder. */
    DECODE("vae"),
    /** Until a message of another rank is here. */
    WAIT("wait"),
    /** Handing a message over; it travels on while the rank goes on. */
    SEND("send");

    private final String category;

    Activity(String category) {
      this.category = category;
    }

    /** The name in a trace, {@code blocks} for example. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The category in a trace: load, text, compute, vae, wait or send. */
    public String category() {
      return category;
    }
  }
}
