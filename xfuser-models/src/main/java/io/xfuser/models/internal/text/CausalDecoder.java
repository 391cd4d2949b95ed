package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A language model as a text encoder, of which the hidden states of some layers are wanted:
 * transformers' {@code Qwen3Model} and {@code Qwen3ForCausalLM}, whose head is not read, and the
 * text side of {@code Qwen2_5_VLForConditionalGeneration}, which {@code Qwen2_5_VLTextModel} is. No
 * token sees a later one, so padding on the right changes nothing before it and takes no mask; with
 * one, padding is seen by none. The weights are mapped, not copied, where the file has the run's
 * element type. Several ranks may have a {@link Share} each: some groups of heads, some neurons,
 * some rows of the embedding. They encode together, and sum after each of the three.
 *
 * <p>Safe for use by several threads.
 */
final class CausalDecoder implements TextModel {
  private static final Program PROGRAM =
      Program.load(CausalDecoder.class, "encoder.py", "decoder.py");
  // names without the prefix, the head's and those of pictures, become empty
  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(
          List.of("model.language_model", "language_model.model", "model", "language_model"),
          Pattern.compile("(lm_head\\.weight)?"));

  private final DecoderConfig config;
  private final Share share;
  private final EncoderWeights weights;

  /**
   * Opens {@code share} of a decoder, and reads no more of its file.
   *
   * @throws ModelException if the configuration is not supported, or the weights do not fit it
   */
  CausalDecoder(EncoderFolder folder, DecoderConfig config, Share share) {
    this.config = config;
    this.share = share;
    this.weights = EncoderWeights.open(folder, NAMES, this::read);
  }

  private void read(EncoderWeights to, Weights file) {
    to.outside(WeightMap.of(file, share, w -> outside(w.withoutBias().plain())));
    for (int i = 0; i < config.layers(); i++) {
      Weights layer = file.at("layers." + i + ".");
      to.addLayer(WeightMap.of(layer, share, w -> layer(w.withoutBias())));
    }
  }

  private WeightMap outside(WeightMap w) {
    w.table(
        Joined.one("embed_tokens"),
        config.rows().cut(share, 0),
        config.rows().width(),
        config.width());
    return config.style().cut() ? w : w.norm("norm", config.width());
  }

  private WeightMap layer(WeightMap w) {
    long width = config.width();
    WeightMap attention = config.style().biased() ? w.withBias() : w;
    attention
        .inward("self_attn.q_proj", config.queries(), width)
        .inward("self_attn.k_proj", config.keys(), width)
        .inward("self_attn.v_proj", config.keys(), width);
    if (config.style().headNorms()) {
      w.norm("self_attn.q_norm", config.headWidth()).norm("self_attn.k_norm", config.headWidth());
    }
    if (config.style().outerNorms()) {
      w.norm("pre_feedforward_layernorm", width).norm("post_feedforward_layernorm", width);
    }
    return w.withoutBias()
        .norm("input_layernorm", width)
        .norm("post_attention_layernorm", width)
        .outward("self_attn.o_proj", width, config.queries())
        .inward(
            Joined.under("mlp", "gate_up_proj", "gate_proj", "up_proj"),
            config.feedForward(),
            width)
        .outward("mlp.down_proj", width, config.feedForward());
  }

  /**
   * {@inheritDoc} The last one is after the last norm; by all ranks that have shares, on each of
   * them.
   */
  @Override
  public List<NDArray> inner(NDManager owner, TextInput input, List<Integer> indices) {
    if (!share.equals(input.context().share())) {
      throw new IllegalArgumentException(
          "%s of a language model cannot take the place of %s"
              .formatted(share, input.context().share()));
    }
    List<Integer> wanted = indices.stream().map(this::layersUpTo).toList();
    List<NDArray> states = new ArrayList<>(Collections.nCopies(wanted.size(), null));
    try (NDManager scope = owner.newSubManager()) {
      Run run = new Run(scope, input);
      int last = Collections.max(wanted);
      for (int layer = 0; layer <= last; layer++) {
        run.upTo(layer);
        for (int i = 0; i < wanted.size(); i++) {
          if (wanted.get(i) == layer) {
            states.set(i, run.state(owner));
          }
        }
      }
    }
    return states;
  }

  /** One pass through the layers. */
  private final class Run {
    private final NDManager scope;
    private final BlockContext context;
    private final DecoderStyle style = config.style();
    private final NDArray rotation;
    private final NDArray bias;
    private final NDArray near;
    private NDArray x;
    private int done;

    Run(NDManager scope, TextInput input) {
      this.scope = scope;
      this.context = input.context();
      this.x = embed(scope, input); // (B, T, C)
      rotation = rotation(input.pictures()); // (2, T, D)
      bias = PROGRAM.call(scope, "bias", x, mask(scope, input)); // (T, T) or (B, 1, T, T)
      boolean all = style.sliding().isEmpty() || style.window() >= x.getShape().get(1);
      near = all ? bias : PROGRAM.call(scope, "sliding_bias", bias, style.window());
      context.listener().computed(0, config.layers());
    }

    private NDArray rotation(TextInput.@Nullable Pictures pictures) {
      int head = config.headWidth();
      if (pictures == null) {
        return PROGRAM.call(scope, "rotation", x, head, config.theta());
      }
      NDArray places = weights.beside(scope, pictures.places());
      return PROGRAM.call(scope, "rotation_at", x, places, head, config.theta());
    }

    void upTo(int layers) {
      while (done < layers) {
        NDArray seen = style.slides(done) ? near : bias;
        EncoderWeights.Layers next = new EncoderWeights.Layers(x, done, done + 1);
        NDArray y = weights.run(scope, next, (to, in, w) -> layer(to, in, w, seen));
        x.close();
        x = y;
        done++;
      }
      context.listener().computed(done, config.layers());
    }

    private NDArray layer(NDManager to, NDArray in, TensorMap w, NDArray seen) {
      return style.outerNorms()
          ? normedLayer(to, in, w, seen)
          : context
              .terms(2, PROGRAM)
              .call(to, "layer", in, w, rotation, seen, config.headWidth(), config.epsilon());
    }

    /** What is normed before it is added has to be whole before that. */
    private NDArray normedLayer(NDManager to, NDArray in, TensorMap w, NDArray seen) {
      double eps = config.epsilon();
      double queries = style.queries();
      try (NDManager within = to.newSubManager()) {
        NDArray attended =
            summed(
                within,
                PROGRAM.call(
                    within, "attended", in, w, rotation, seen, config.headWidth(), queries, eps));
        NDArray middle = PROGRAM.call(within, "with_attended", in, attended, w, eps); // (B, T, C)
        NDArray fed = summed(within, PROGRAM.call(within, "fed", middle, w, eps));
        return PROGRAM.call(to, "with_fed", middle, fed, w, eps); // (B, T, C)
      }
    }

    private NDArray summed(NDManager within, NDArray part) {
      return share.isWhole() ? part : context.sum().of(within, part);
    }

    NDArray state(NDManager owner) {
      return done == config.layers() && !style.cut()
          ? PROGRAM.call(
              owner, "last_norm", x, weights.outside(), config.epsilon(), style.outerNorms())
          : Torch.alias(owner, x);
    }
  }

  private NDList mask(NDManager scope, TextInput input) {
    NDArray mask = input.mask();
    return mask == null ? new NDList() : new NDList(weights.beside(scope, mask));
  }

  private NDArray embed(NDManager owner, TextInput input) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray ids = weights.beside(scope, input.ids());
      double factor = config.style().embedding();
      if (share.isWhole()) {
        NDArray all = PROGRAM.call(scope, "embed", ids, weights.outside(), factor); // (B, T, C)
        return Torch.alias(owner, withPictures(scope, all, input));
      }
      long first = config.rows().cut(share, 0).from();
      NDArray own = PROGRAM.call(scope, "embed_some", ids, weights.outside(), first, factor);
      return input.context().sum().of(owner, withPictures(scope, own, input));
    }
  }

  private NDArray withPictures(NDManager scope, NDArray embedded, TextInput input) {
    TextInput.Pictures pictures = input.pictures();
    return pictures == null
        ? embedded
        : PROGRAM.call(
            scope,
            "with_pictures",
            embedded,
            weights.beside(scope, pictures.at()),
            pictures.states());
  }

  @Override
  public int layers() {
    return config.layers();
  }

  @Override
  public long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }
}
