package io.xfuser.models.internal.flux;

import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.joint.StreamCheckpoint;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Flux.1 in a file of Black Forest Labs' names, or of diffusers'. Source: diffusers 0.36 {@code
 * loaders/single_file_utils.py} ({@code convert_flux_transformer_checkpoint_to_diffusers}), but
 * widths are those of the tensors.
 */
public final class FluxCheckpoint implements ModelFormat {
  private static final int FILL_WIDTH = 384; // values of a token: latents, mask, masked latents

  @Override
  public String title() {
    return "a Flux.1 transformer";
  }

  @Override
  public boolean fits(Tensors tensors) {
    return (StreamCheckpoint.fits(tensors) && tensors.has("double_blocks.0.img_mod.lin.weight"))
        || (tensors.has("single_transformer_blocks.0.attn.to_q.weight")
            && tensors.has("transformer_blocks.0.norm1_context.linear.weight"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (!tensors.has("img_in.weight")) {
      return tensors;
    }
    Tensors.Renaming renaming =
        new Tensors.Renaming(tensors)
            .rule("time_in\\.in_layer\\.(.*)", TIME + "timestep_embedder.linear_1.$1")
            .rule("time_in\\.out_layer\\.(.*)", TIME + "timestep_embedder.linear_2.$1")
            .rule("vector_in\\.in_layer\\.(.*)", TIME + "text_embedder.linear_1.$1")
            .rule("vector_in\\.out_layer\\.(.*)", TIME + "text_embedder.linear_2.$1")
            .rule("guidance_in\\.in_layer\\.(.*)", TIME + "guidance_embedder.linear_1.$1")
            .rule("guidance_in\\.out_layer\\.(.*)", TIME + "guidance_embedder.linear_2.$1")
            .swapped("final_layer\\.adaLN_modulation\\.1\\.(.*)", "norm_out.linear.$1")
            .rule("double_blocks\\.(\\d+)\\.img_mod\\.lin\\.(.*)", DOUBLE + "norm1.linear.$2")
            .rule(
                "double_blocks\\.(\\d+)\\.txt_mod\\.lin\\.(.*)", DOUBLE + "norm1_context.linear.$2")
            .rule(
                "single_blocks\\.(\\d+)\\.modulation\\.lin\\.(.*)",
                "single_transformer_blocks.$1.norm.linear.$2");
    return StreamCheckpoint.renamed(renaming, tensors).done();
  }

  private static final String TIME = "time_text_embed.";
  private static final String DOUBLE = "transformer_blocks.$1.";

  @Override
  public Map<String, Object> config(Tensors tensors) {
    Map<String, Object> config = StreamCheckpoint.config(tensors);
    config.put("pooled_projection_dim", tensors.size(POOLED, 1));
    config.put("guidance_embeds", guided(tensors));
    return config;
  }

  private static final String POOLED = "time_text_embed.text_embedder.linear_1.weight";

  private static boolean guided(Tensors tensors) {
    return tensors.any("time_text_embed\\.guidance_embedder\\..*");
  }

  @Override
  public String className() {
    return "FluxTransformer2DModel";
  }

  /** Kontext has the tensors of dev, so only its name tells. */
  @Override
  public String pipeline(Tensors tensors, Path file) {
    if (tensors.size("x_embedder.weight", 1) == FILL_WIDTH) {
      return "FluxFillPipeline";
    }
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    return name.contains("kontext") ? "FluxKontextPipeline" : "FluxPipeline";
  }

  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    boolean guided = guided(tensors);
    return ModelFormat.flowMatching(guided ? 3 : 1, Map.of("use_dynamic_shifting", guided));
  }

  @Override
  public Map<String, Object> vae() {
    return StreamCheckpoint.vae();
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(
        new TextSlot("", "CLIPTextModel", "CLIPTokenizer", "clip_l", false, Map.of()),
        new TextSlot("_2", "T5EncoderModel", "T5TokenizerFast", "t5xxl", false, Map.of()));
  }
}
