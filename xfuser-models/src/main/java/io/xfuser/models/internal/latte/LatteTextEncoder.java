package io.xfuser.models.internal.latte;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * T5's states, masked as diffusers' {@code LattePipeline.encode_prompt} does it for the whole
 * request: a single video's text ends with its prompt, and so does that of its negative prompt; of
 * several videos the padding's states are zero, but not those of negative prompts. No mask is left
 * for the transformer.
 */
record LatteTextEncoder(Captions captions) implements TextEncoder {
  private static final Program PROGRAM = Program.load(LatteTextEncoder.class, "text.py");
  private static final String NEGATIVE = InputConfig.NEGATIVE + Captions.EMBEDS;

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    if (!request.options().maskFeature()) {
      return withoutMasks(captions.encode(owner, request));
    }
    List<String> positive = request.prompts().positive();
    int prompts = positive.size();
    Map<String, NDArray> text = new HashMap<>();
    try (NDManager scope = owner.newSubManager()) {
      Map<String, NDArray> all = captions.encode(scope, request);
      NDArray embeds = Objects.requireNonNull(all.get(Captions.EMBEDS)); // (B, T, text width)
      // masks are repeated in another order than states: image i has the mask of prompt i mod P
      NDArray masks = captions.tokens(positive, request.options()).mask(scope); // (P, T)
      NDArray mask = Torch.rows(scope, masks, request.rows(image -> image % prompts)); // (B, T)
      boolean single = prompts * request.imagesPerPrompt() == 1;
      long kept = single ? PROGRAM.callLong("tokens", mask) : mask.getShape().get(1);
      text.put(
          Captions.EMBEDS,
          single
              ? Torch.contiguous(owner, Torch.slice(scope, embeds, 1, 0, kept))
              : PROGRAM.call(owner, "masked", embeds, Torch.to(scope, mask, embeds.getDevice())));
      NDArray negative = all.get(NEGATIVE);
      if (negative != null) {
        text.put(NEGATIVE, Torch.contiguous(owner, Torch.slice(scope, negative, 1, 0, kept)));
      }
    }
    return text;
  }

  private static Map<String, NDArray> withoutMasks(Map<String, NDArray> all) {
    Map<String, NDArray> text = new HashMap<>(all);
    text.keySet().retainAll(List.of(Captions.EMBEDS, NEGATIVE));
    return text;
  }

  @Override
  public long parameterBytes() {
    return captions.parameterBytes();
  }

  @Override
  public void close() {
    captions.close();
  }
}
