package io.xfuser.trace;

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
