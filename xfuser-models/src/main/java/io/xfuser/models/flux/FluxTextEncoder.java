package io.xfuser.models.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.text.ClipTextEncoder;
import io.xfuser.models.text.T5Encoder;
import io.xfuser.models.text.Tokenizer;
import io.xfuser.models.text.Tokenizers;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.TextRequest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/** CLIP's pooled output, and the states of T5, which attends its padding too. */
final class FluxTextEncoder implements TextEncoder {
  /** The name of T5's hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of CLIP's pooled output (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  private static final int CLIP_TOKENS = 77;

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Tokenizer clipTokenizer;
  private final Tokenizer t5Tokenizer;
  private final ClipTextEncoder clip;
  private final T5Encoder t5;

}
