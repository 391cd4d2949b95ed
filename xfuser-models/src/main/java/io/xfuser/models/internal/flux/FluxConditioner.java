package io.xfuser.models.internal.flux;

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

/** Projects the text; embeds the timestep, the pooled text and, for dev, the guidance. */
record FluxConditioner(FluxConfig config, TensorMap weights, List<PictureAdapter> adapters)
    implements JointConditioner {
  private static final int SINUSOIDS = 256;

  static FluxConditioner load(FluxConfig config, Weights weights, List<PictureAdapter> adapters) {
    long width = config.width();
    String embed = "time_text_embed";
    return new FluxConditioner(
        config,
        WeightMap.of(
            weights,
            w -> {
              w.linear("context_embedder", width, config.streams().textWidth())
                  .mlp(embed + ".timestep_embedder", width, SINUSOIDS)
                  .mlp(embed + ".text_embedder", width, config.pooledWidth());
              if (config.guidance()) {
                w.mlp(embed + ".guidance_embedder", width, SINUSOIDS);
              }
              return PictureAdapter.projections(w, adapters, config.streams().textWidth());
            }),
        adapters);
  }

  @Override
  public JointConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(FluxTextEncoder.EMBEDS); // (B, T, text width)
    NDArray pooled = input.text(FluxTextEncoder.POOLED); // (B, pooled width)
    double[] guidance = {input.picture().guidance()};
    NDArray fixed = // (B, C)
        Flux.PROGRAM.call(
            request, "embed_fixed", pooled, config.guidance() ? guidance : new double[0], weights);
    JointConditioning plain =
        new JointConditioning(
            Streams.text(request, embeds, weights), // (B, T, C)
            Streams.rotation(request, input, embeds, config.streams().axes()),
            new StepModulations(
                request,
                input.timesteps(),
                (to, t) -> Flux.PROGRAM.call(to, "condition", t, fixed, weights)));
    return plain.showing(
        ShownPictures.of(request, input, adapters, weights, config.streams().textWidth()));
  }
}
