package io.xfuser.models.internal.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import java.util.List;
import java.util.stream.Stream;

/**
 * Joins both texts, pools T5's, embeds the timestep and, up to version 1.1, sizes and style;
 * prepares the rotation of queries and keys.
 */
record HunyuanDiTConditioner(HunyuanDiTConfig config, TensorMap weights)
    implements Conditioner<HunyuanDiTConditioning> {
  private static final int SINUSOIDS = 256;
  private static final int SIZES = 6;

  static HunyuanDiTConditioner load(HunyuanDiTConfig config, Weights weights) {
    return new HunyuanDiTConditioner(
        config, WeightMap.of(weights, w -> condition(config, text(config, w))));
  }

  private static WeightMap text(HunyuanDiTConfig config, WeightMap w) {
    int bert = config.text().bert();
    int t5 = config.text().t5();
    String pool = "time_extra_emb.pooler";
    return w.linear("text_embedder.linear_1", 4L * t5, t5)
        .linear("text_embedder.linear_2", bert, 4L * t5)
        .tensor(
            "text_embedding_padding",
            HunyuanDiTConfig.BERT_TOKENS + HunyuanDiTConfig.T5_TOKENS,
            bert)
        .tensor(pool + ".positional_embedding", HunyuanDiTConfig.T5_TOKENS + 1, t5)
        .linear(pool + ".q_proj", t5, t5)
        .linear(Joined.under(pool, "kv_proj", "k_proj", "v_proj"), t5, t5)
        .linear(pool + ".c_proj", config.text().pooled(), t5);
  }

  private static WeightMap condition(HunyuanDiTConfig config, WeightMap w) {
    long width = config.width();
    String embed = "time_extra_emb";
    long extra = config.text().pooled() + (config.style() ? SIZES * SINUSOIDS + width : 0);
    w.mlp(embed + ".timestep_embedder", width, SINUSOIDS)
        .linear(embed + ".extra_embedder.linear_1", 4 * width, extra)
        .linear(embed + ".extra_embedder.linear_2", width, 4 * width);
    return config.style() ? w.tensor(embed + ".style_embedder.weight", 1, width) : w;
  }

  @Override
  public HunyuanDiTConditioning begin(NDManager request, ConditionInput input) {
    NDArray t5 = input.text(HunyuanDiTTextEncoder.T5_EMBEDS); // (B, 256, F)
    NDArray text = // (B, T, E)
        HunyuanDiT.PROGRAM.call(
            request,
            "text",
            input.text(HunyuanDiTTextEncoder.BERT_EMBEDS),
            t5,
            input.text(HunyuanDiTTextEncoder.BERT_MASK),
            input.text(HunyuanDiTTextEncoder.T5_MASK),
            weights);
    ConditionInput.Picture picture = input.picture();
    ConditionInput.Sizes told = picture.sizes();
    double[] sizes = // of SIZES numbers
        Stream.of(told.original(), told.target(), told.corner())
            .flatMap(List::stream)
            .mapToDouble(Integer::doubleValue)
            .toArray();
    NDArray extra = // (B, C)
        HunyuanDiT.PROGRAM.call(request, "extra", t5, sizes, config.style(), weights);
    StepModulations steps =
        new StepModulations(
            request,
            input.timesteps(),
            (owner, timestep) -> // (B, C)
            HunyuanDiT.PROGRAM.call(owner, "timestep", timestep, extra, weights));
    return new HunyuanDiTConditioning(
        text, rotation(request, input, text), new PerBlock(request), steps, null);
  }

  /** Cosines and sines of the tokens, (l, D/2, 2). */
  private NDArray rotation(NDManager request, ConditionInput input, NDArray like) {
    Axes axes = input.picture().sequence().denoised();
    try (NDManager scope = request.newSubManager()) {
      return HunyuanDiT.PROGRAM.call(
          request,
          "rotation",
          input.coordinates(scope, like),
          axes.rows(),
          axes.columns(),
          config.headSize());
    }
  }

  @Override
  public HunyuanDiTConditioning at(NDManager step, HunyuanDiTConditioning c, double value) {
    return c.at(c.steps().at(step, value));
  }
}
