package io.xfuser.models.internal.chroma;

import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.joint.StreamCheckpoint;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Chroma in a file of its author's names, or of diffusers'. Source: diffusers 0.36 {@code
 * loaders/single_file_utils.py} ({@code convert_chroma_transformer_checkpoint_to_diffusers}).
 */
public final class ChromaCheckpoint implements ModelFormat {
  private static final Pattern KIND = Pattern.compile("(?i)chroma1[-_ ]?(base|flash)");

  private static final String LAYERS = "distilled_guidance_layer\\.layers\\.(\\d+)\\.";
  private static final String CANONICAL = "distilled_guidance_layer.layers.$1.";

  @Override
  public String title() {
    return "a Chroma transformer";
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has("distilled_guidance_layer.in_proj.weight")
        && (StreamCheckpoint.fits(tensors)
            || tensors.has("single_transformer_blocks.0.attn.to_q.weight"));
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    if (!StreamCheckpoint.fits(tensors)) {
      return tensors;
    }
    Tensors.Renaming renaming =
        new Tensors.Renaming(tensors)
            .rule(LAYERS + "in_layer\\.(.*)", CANONICAL + "linear_1.$2")
            .rule(LAYERS + "out_layer\\.(.*)", CANONICAL + "linear_2.$2")
            .rule(
                "distilled_guidance_layer\\.norms\\.(\\d+)\\." + StreamCheckpoint.GAIN,
                "distilled_guidance_layer.norms.$1.weight");
    return StreamCheckpoint.renamed(renaming, tensors).done();
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    Map<String, Object> config = StreamCheckpoint.config(tensors);
    String first = "distilled_guidance_layer.in_proj.weight";
    config.put("approximator_num_channels", tensors.size(first, 1));
    config.put("approximator_hidden_dim", tensors.size(first, 0));
    config.put("approximator_layers", tensors.count("distilled_guidance_layer.layers."));
    return config;
  }

  @Override
  public String className() {
    return "ChromaTransformer2DModel";
  }

  @Override
  public String pipeline(Tensors tensors, Path file) {
    return "ChromaPipeline";
  }

  /** Those of Chroma1-HD, unless the file's name says Flash or Base. */
  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    Matcher kind = KIND.matcher(String.valueOf(file.getFileName()));
    boolean other = kind.find();
    boolean base = other && kind.group(1).equalsIgnoreCase("base");
    return ModelFormat.flowMatching(other ? 1 : 3, Map.of("use_beta_sigmas", base));
  }

  @Override
  public Map<String, Object> vae() {
    return StreamCheckpoint.vae();
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(new TextSlot("", "T5EncoderModel", "T5TokenizerFast", "t5xxl", false, Map.of()));
  }
}
