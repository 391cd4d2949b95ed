package io.xfuser.models.internal.chroma;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioner;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.PictureAdapter;
import io.xfuser.models.internal.joint.ShownPictures;
import io.xfuser.models.internal.joint.Streams;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import java.util.List;

/** Projects the text; approximates the table of all modulations from the timestep. */
record ChromaConditioner(ChromaConfig config, TensorMap weights, List<PictureAdapter> adapters)
    implements JointConditioner {
  private static final String APPROXIMATOR = "distilled_guidance_layer.";

  static ChromaConditioner load(
      ChromaConfig config, Weights weights, List<PictureAdapter> adapters) {
    long text = config.streams().textWidth();
    return new ChromaConditioner(
        config,
        WeightMap.of(weights, w -> PictureAdapter.projections(read(w, config), adapters, text)),
        adapters);
  }

  private static WeightMap read(WeightMap w, ChromaConfig config) {
    long width = config.streams().width();
    long inner = config.innerWidth();
    w.linear("context_embedder", width, config.streams().textWidth());
    w.plain()
        .linear(APPROXIMATOR + "in_proj", inner, config.numberWidth())
        .linear(APPROXIMATOR + "out_proj", width, inner);
    for (int i = 0; i < config.layers(); i++) {
      w.mlp(APPROXIMATOR + "layers." + i, inner, inner).scale(APPROXIMATOR + "norms." + i, inner);
    }
    return w;
  }

  @Override
  public JointConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(ChromaTextEncoder.EMBEDS); // (B, T, text width)
    NDArray mask = input.text(ChromaTextEncoder.MASK); // (B, T)
    StepModulations steps =
        new StepModulations(
            request,
            input.timesteps(),
            (to, t) ->
                Chroma.PROGRAM.call(
                    to, "table", t, config.rows(), embeds, weights, config.layers()));
    return new JointConditioning(
            Streams.text(request, embeds, weights), // (B, T, C)
            Streams.rotation(request, input, embeds, config.streams().axes()),
            steps)
        .masked(Chroma.PROGRAM.call(request, "weights", mask, embeds))
        .showing(ShownPictures.of(request, input, adapters, weights, config.streams().textWidth()));
  }
}
