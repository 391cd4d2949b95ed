package io.xfuser.models.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.text.ClipOutput;
import io.xfuser.models.text.ClipTextEncoder;
import io.xfuser.models.text.T5Encoder;
import io.xfuser.models.text.Tokenizer;
import io.xfuser.models.text.Tokenizers;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.TextRequest;
import java.util.List;
import java.util.Map;

/**
 * Two CLIPs and T5: their states one after another, and the CLIPs' pooled texts side by side. A
 * directory may have no T5, whose states are zeros then.
 */
final class SD3TextEncoder implements TextEncoder {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the pooled texts (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  /** The name of T5's component, the one that may be absent. */
  static final String T5 = "text_encoder_3";

  private static final int CLIP_TOKENS = 77;
  private static final int STATE = -2; // of CLIP: before the last layer

  private final int width;
  private final Parts parts = new Parts();
  private final Tokenizer tokenizer;
  private final Tokenizer tokenizer2;
  private final ClipTextEncoder clip;
  private final ClipTextEncoder clip2;
  private final List<Third> third;
}
