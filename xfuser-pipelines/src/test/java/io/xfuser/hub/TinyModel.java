package io.xfuser.hub;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The files of a pipeline with random bytes for weights, and others that repositories have. */
final class TinyModel {
  static final String TRANSFORMER = "transformer/diffusion_pytorch_model";
  static final String SHARD = TRANSFORMER + "-00002-of-00002.safetensors";
  static final String VAE = "vae/diffusion_pytorch_model.safetensors";
  static final int LARGE = 1 << 20;

  /** What a pipeline reads of {@link #files}. */
  static final List<String> NEEDED =
      List.of(
          "model_index.json",
          "scheduler/scheduler_config.json",
          "text_encoder/config.json",
          "text_encoder/model.safetensors",
          "tokenizer/merges.txt",
          "tokenizer/spiece.model",
          "tokenizer/tokenizer_config.json",
          "transformer/config.json",
          TRANSFORMER + "-00001-of-00002.safetensors",
          SHARD,
          TRANSFORMER + ".safetensors.index.json",
          "vae/config.json",
          VAE);

  private TinyModel() {}

  static Map<String, byte[]> files() {
    Map<String, byte[]> files = new TreeMap<>();
    for (String other :
        List.of(
            "README.md",
            "pixart.safetensors",
            "pixart.ckpt",
            "text_encoder/pytorch_model.bin",
            "text_encoder/model.fp16.safetensors",
            "text_encoder/flax_model.msgpack",
            "text_encoder/onnx/model.safetensors",
            "transformer/diffusion_pytorch_model.bin",
            "vae/model.onnx")) {
      files.put(other, other.getBytes(UTF_8));
    }
    for (String needed : NEEDED) {
      files.put(needed, content(needed));
    }
    files.put("tokenizer/spiece.model", new byte[0]);
    files.put(
        "model_index.json",
        """
        {"_class_name": "PixArtSigmaPipeline", "_diffusers_version": "0.30.0",
         "feature_extractor": [null, null], "requires_safety_checker": true,
         "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
         "text_encoder": ["transformers", "T5EncoderModel"],
         "tokenizer": ["transformers", "T5Tokenizer"],
         "transformer": ["diffusers", "PixArtTransformer2DModel"],
         "vae": ["diffusers", "AutoencoderKL"]}
        """
            .getBytes(UTF_8));
    files.put(
        TRANSFORMER + ".safetensors.index.json",
        """
        {"weight_map": {"a": "diffusion_pytorch_model-00001-of-00002.safetensors",
                        "b": "diffusion_pytorch_model-00002-of-00002.safetensors"}}
        """
            .getBytes(UTF_8));
    return files;
  }

  private static byte[] content(String name) {
    byte[] content = name.getBytes(UTF_8);
    return name.equals(SHARD) ? Arrays.copyOf(content, LARGE) : content;
  }
}
