package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.weights.Share;
import java.util.Map;
import java.util.Optional;

/** The text encoder of a pipeline that has one. */
public abstract class OneTower extends TextTowers {
  private final Optional<TextTower> tower;

  /** Opens it, if this rank has a share of it. */
  protected OneTower(PipelineComponents components, Share share) {
    super(components, share);
    tower = tower("");
  }

  @Override
  public final Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    return tower.map(open -> encode(owner, open, texts, request)).orElseGet(Map::of);
  }

  /** What {@code tower} makes of {@code texts}, by name, owned by {@code owner}. */
  protected abstract Map<String, NDArray> encode(
      NDManager owner, TextTower tower, Texts texts, TextRequest request);
}
