package io.xfuser.models.internal.adaln;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Part;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks read.
 *
 * @param text projected captions (B, T, C)
 * @param textMask (B, 1, 1, T), added to the scores of cross-attention; none where all text counts
 * @param positions position embeddings of this rank's tokens, (l, C) in fp32
 * @param sizes the embedded size of the picture (1, C), or none
 * @param frames of a video, 1 for pictures
 * @param kept what blocks compute once per request, keys and values of the captions for example
 * @param steps modulations of all steps, made of shift, scale, gate twice, (1, 6·C)
 * @param timestep what depends on the step; null before the first
 */
public record AdaLnConditioning(
    NDArray text,
    List<NDArray> textMask,
    NDArray positions,
    List<NDArray> sizes,
    int frames,
    PerBlock kept,
    StepModulations steps,
    @Nullable Timestep timestep) {
  /**
   * A timestep.
   *
   * @param modulations of the blocks
   * @param embedded the timestep for the head, (1, C)
   */
  record Timestep(StepModulations.Now modulations, NDArray embedded) {}

  AdaLnConditioning at(Timestep next) {
    return new AdaLnConditioning(text, textMask, positions, sizes, frames, kept, steps, next);
  }

  /** Shift, scale and gate of both halves of all blocks at this step, (1, 6·C). */
  public NDArray modulation() {
    return now().modulations().vector();
  }

  /**
   * Shift, 1 + scale and gate of both halves of {@code block} at this step, (6, 1, 1, C), by its
   * {@code program}.
   */
  public NDArray modulation(Part block, Program program) {
    return now().modulations().of(block, program, "modulation");
  }

  Timestep now() {
    return Objects.requireNonNull(timestep, "the conditioning has no timestep yet");
  }
}
