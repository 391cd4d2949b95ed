package io.xfuser.pipeline;

/**
 * How far a request is in something other than its denoising steps.
 *
 * @param phase what is being done
 * @param done parts that are done, 0 when the phase begins; it may begin anew with other parts
 * @param total parts in all
 */
public record Progress(Phase phase, int done, int total) {
  /** What takes long beside the steps. */
  public enum Phase {
    /** The transformer's weights, block by block. */
    LOADING_TRANSFORMER("loading the transformer", "blocks"),
    /** The text encoders' weights, all in one. */
    LOADING_TEXT_ENCODER("loading the text encoder", "parts"),
    /** The T5, layer by layer. */
    ENCODING("encoding the prompt", "layers"),
    /** The decoder's weights, all in one. */
    LOADING_DECODER("loading the decoder", "parts"),
    /** The decoder, layer by layer of each of its tiles or slices. */
    DECODING("decoding", "layers");

    private final String label;
    private final String parts;

    Phase(String label, String parts) {
      this.label = label;
      this.parts = parts;
    }

    /** For a person: {@code encoding the prompt}. */
    public String label() {
      return label;
    }

    /** What is counted: {@code layers}. */
    public String parts() {
      return parts;
    }
  }
}
