package io.xfuser.models.internal.text;

import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A pipeline's text encoders that one rank has: a share of its T5, and on the first of the ranks
 * that have shares the others, whole. If one cannot be opened, those before it are closed.
 */
public abstract class TextTowers implements TextEncoder {
  private final List<TextTower<? extends TextModel>> open = new ArrayList<>();
  private final PipelineComponents components;
  private final Share share;

  /** Nothing opened yet. */
  protected TextTowers(PipelineComponents components, Share share) {
    this.components = components;
    this.share = share;
  }

  /** Opens the share of the T5 that is {@code text_encoder} with {@code suffix}. */
  protected final TextTower<T5Encoder> t5(String suffix) {
    return opened(suffix, T5Encoder.opening(share));
  }

  /** Opens another encoder on the first rank; empty on the others. */
  protected final <E extends TextModel> Optional<TextTower<E>> whole(
      String suffix, TextTower.Opener<E> opening) {
    return share.isFirst() ? Optional.of(opened(suffix, opening)) : Optional.empty();
  }

  private <E extends TextModel> TextTower<E> opened(String suffix, TextTower.Opener<E> opening) {
    try {
      TextTower<E> tower = TextTower.open(components, suffix, opening);
      open.add(tower);
      return tower;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  public final long parameterBytes() {
    return open.stream().mapToLong(tower -> tower.encoder().parameterBytes()).sum();
  }

  @Override
  public final void close() {
    open.forEach(TextTower::close);
  }
}
