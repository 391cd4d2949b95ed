package io.xfuser.trace;

import java.util.Locale;

/** What a rank spends time with. */
public enum Activity {
  /** Loading the transformer's blocks of this rank, or the autoencoder of one that only decodes. */
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
