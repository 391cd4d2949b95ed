package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.models.internal.adapter.TimedAdapter;
import io.xfuser.models.internal.joint.Shown;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.ConditionInput;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A picture that is a prompt: what an adapter's resampler makes of it, which is other tokens in
 * each step. Each rank makes them itself, so nothing of them is sent.
 */
final class SD3Pictures implements Shown {
  private final TimedAdapter adapter;
  private final TensorMap weights;
  private final NDList features; // (B, N, R) of one picture, or of what is avoided and of it
  private final StepModulations times;
  private final StepModulations.@Nullable Now now;
  private @Nullable NDArray tokens;

  private SD3Pictures(
      TimedAdapter adapter,
      TensorMap weights,
      NDList features,
      StepModulations times,
      StepModulations.@Nullable Now now) {
    this.adapter = adapter;
    this.weights = weights;
    this.features = features;
    this.times = times;
    this.now = now;
  }

  /**
   * That of a request, if it has one.
   *
   * @param weights with {@link TimedAdapter#resampler}
   * @throws io.xfuser.failure.ArgumentException if a tensor was given that is not of the adapter's
   *     width
   */
  static Optional<Shown> of(
      NDManager request, ConditionInput input, TimedAdapter adapter, TensorMap weights) {
    String name = PicturePrompts.tensor(0);
    if (!input.text().containsKey(name)) {
      return Optional.empty();
    }
    NDList features = new NDList();
    Stream.of(InputConfig.NEGATIVE + name, name)
        .filter(input.text()::containsKey)
        .map(each -> Shown.embeds(input, each, adapter.seen()))
        .forEach(
            embeds -> features.add(SD3.SHOWN.call(request, "shown_features", embeds, weights)));
    NDArray like = features.get(0);
    StepModulations times =
        new StepModulations(
            request,
            input.timesteps(),
            (to, t) -> SD3.SHOWN.call(to, "shown_time", t, like, adapter.sinusoids(), weights));
    return Optional.of(new SD3Pictures(adapter, weights, features, times, null));
  }

  @Override
  public Shown at(NDManager step, double timestep) {
    return new SD3Pictures(adapter, weights, features, times, times.at(step, timestep));
  }

  private StepModulations.Now now() {
    StepModulations.Now present = now;
    if (present == null) {
      throw new IllegalStateException("the picture has no timestep yet");
    }
    return present;
  }

  /** How many tokens of it are where so many of the text are: all, or as large a part. */
  TextTokens tokens(TextTokens text) {
    return text.all() == 0
        ? TextTokens.NONE
        : new TextTokens(adapter.queries() * features.size(), 0, text.share(), text.shares());
  }

  /** Those that are here, none or (B, s, C). */
  List<NDArray> own(NDManager owner, TextTokens which) {
    if (which.own().length() == 0) {
      return List.of();
    }
    NDArray all = tokens;
    if (all == null) {
      StepModulations.Now present = now();
      NDArray time = present.vector(); // (1, R)
      all = // (B, Q, C), or (B, 2Q, C) with what is avoided
          SD3.SHOWN.call(
              present.owner(),
              "shown_tokens",
              features,
              time,
              weights,
              adapter.heads(),
              adapter.layers());
      tokens = all;
    }
    return List.of(Torch.slice(owner, all, 1, which.own().from(), which.own().to()));
  }

  /**
   * Shifts and factors of its tokens in each attention of {@code block}, (2·attentions, 1, 1, C).
   */
  NDArray modulations(SD3Block block) {
    return now().of(block, SD3.SHOWN, "shown_modulations");
  }
}
