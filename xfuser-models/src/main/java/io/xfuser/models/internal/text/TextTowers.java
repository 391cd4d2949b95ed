package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline's text encoders that one rank has: its share of those that can be shared, and on the
 * first of the ranks that have shares the others, whole. If one cannot be opened, those before it
 * are closed.
 */
public abstract class TextTowers implements TextEncoder, TextRequest.PromptEncoder {
  private final List<TextTower> open = new ArrayList<>();
  private final PipelineComponents components;
  private final Share share;
  private @Nullable PictureReader pictures;

  /** Nothing opened yet. */
  protected TextTowers(PipelineComponents components, Share share) {
    this.components = components;
    this.share = share;
  }

  /**
   * Opens {@code text_encoder} with {@code suffix}; empty if it is not shared and this rank is not
   * the first.
   */
  protected final Optional<TextTower> tower(String suffix) {
    boolean shareable = TextComponents.isShareable(components, TextComponents.ENCODER + suffix);
    return shareable || share.isFirst()
        ? Optional.of(opened(suffix, shareable ? share : Share.WHOLE))
        : Optional.empty();
  }

  /**
   * All texts of {@code request}, with masks as some of diffusers' pipelines repeat them: those of
   * all prompts one after another, but the embeddings of each.
   */
  protected final Map<String, NDArray> masksInTurn(
      NDManager owner, TextRequest request, TextRequest.PromptEncoder masks) {
    Map<String, NDArray> all = new HashMap<>(request.perPrompt(owner, this));
    all.putAll(request.inTurn(owner, masks));
    return all;
  }

  protected final ReadPictures pictures() {
    return reading(() -> ReadPictures.open(components, share));
  }

  /** Opens what sees pictures by itself, on the first of the ranks that have shares. */
  protected final Optional<ClipPictures> seenPictures() {
    return share.isFirst()
        ? Optional.of(reading(() -> ClipPictures.open(components)))
        : Optional.empty();
  }

  private <R extends PictureReader> R reading(Supplier<R> opening) {
    try {
      R opened = opening.get();
      pictures = opened;
      return opened;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private TextTower opened(String suffix, Share part) {
    try {
      TextTower tower = TextTower.open(components, suffix, part);
      open.add(tower);
      return tower;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Each prompt alone, as most pipelines do it. */
  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, this);
  }

  @Override
  public final boolean keepsApart() {
    return true;
  }

  @Override
  public final long parameterBytes() {
    return open.stream().mapToLong(tower -> tower.encoder().parameterBytes()).sum()
        + (pictures == null ? 0 : pictures.parameterBytes());
  }

  @Override
  public final void close() {
    open.forEach(TextTower::close);
    if (pictures != null) {
      pictures.close();
    }
  }
}
