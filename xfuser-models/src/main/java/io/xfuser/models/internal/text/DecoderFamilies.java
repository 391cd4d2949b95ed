package io.xfuser.models.internal.text;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;
import java.util.function.Function;

/** The families of language models that encode text, by the names of transformers' classes. */
public final class DecoderFamilies {
  private DecoderFamilies() {}

  /** Opens Qwen3. */
  public static final class Qwen3 extends Provider {
    public Qwen3() {
      super(Set.of("Qwen3Model", "Qwen3ForCausalLM"), DecoderConfig::qwen3);
    }
  }

  /** Opens Qwen2.5-VL. */
  public static final class Qwen25Vl extends Provider {
    public Qwen25Vl() {
      super(
          Set.of("Qwen2_5_VLForConditionalGeneration"),
          Set.of(Ability.INNER, Ability.SHARES, Ability.PICTURES),
          DecoderConfig::qwen25vl);
    }
  }

  /** Opens the text side of Qwen2.5-VL alone. */
  public static final class Qwen25VlText extends Provider {
    public Qwen25VlText() {
      super(Set.of("Qwen2_5_VLTextModel"), DecoderConfig::qwen25vl);
    }
  }

  /** Opens Mistral3. */
  public static final class Mistral3 extends Provider {
    public Mistral3() {
      super(Set.of("Mistral3ForConditionalGeneration"), DecoderConfig::mistral3);
    }
  }

  /** Opens Gemma2. */
  public static final class Gemma2 extends Provider {
    public Gemma2() {
      super(Set.of("Gemma2Model", "Gemma2ForCausalLM"), DecoderConfig::gemma2);
    }
  }

  /** Opens the decoders of some classes, which {@code reading} makes data of. */
  private abstract static class Provider extends TextModelClass {
    Provider(Set<String> classNames, Function<ComponentConfig, DecoderConfig> reading) {
      this(classNames, Set.of(Ability.INNER, Ability.SHARES), reading);
    }

    Provider(
        Set<String> classNames,
        Set<Ability> abilities,
        Function<ComponentConfig, DecoderConfig> reading) {
      super(
          classNames,
          abilities,
          (folder, share) -> new CausalDecoder(folder, reading.apply(folder.config()), share),
          config -> reading.apply(config).sizes());
    }
  }
}
