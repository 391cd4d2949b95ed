package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConfigTest {
  @TempDir Path downloads;

  @Test
  void aDirectoryIsTakenAsItIs() {
    assertThat(ModelConfig.builder(downloads).build().directory()).contains(downloads);
    assertThat(ModelConfig.named(downloads.toString(), null).build())
        .isEqualTo(ModelConfig.builder(downloads).build());
  }

  @Test
  void aNameIsADirectoryBelowTheDownloadsOrAModelOfTheHub() throws IOException {
    ModelConfig hub = named("org/model@v1");
    assertThat(hub.name()).contains(new ModelName("org/model", "v1"));
    assertThat(hub.directory()).isEmpty();
    assertThat(hub.downloadDir()).isEqualTo(downloads);
    assertThat(hub).isEqualTo(hub.toBuilder().build()).hasSameHashCodeAs(hub.toBuilder().build());
    Path model = Files.createDirectories(downloads.resolve("org").resolve("model"));
    assertThat(named("org/model").directory()).contains(model);
    assertThat(named("org/model").name()).isEmpty();
  }

  @Test
  void whatIsNeitherIsADirectoryThatIsNotThere() {
    assertThat(named("model").directory()).contains(Path.of("model"));
    assertThat(named("/org/model").directory()).contains(Path.of("/org/model"));
    assertThat(named("org/model/").directory()).contains(Path.of("org/model"));
    assertThatThrownBy(() -> ModelName.of("model"))
        .hasMessage("models of the hub are named org/name or org/name@revision, not model");
  }

  @Test
  void aModelThatWasFoundKeepsItsSettings() {
    ModelConfig half = named("org/model").toBuilder().variant("fp16").build();
    assertThat(half.in(downloads).directory()).contains(downloads);
    assertThat(half.in(downloads).name()).isEqualTo(half.name());
    assertThat(half.in(downloads).variant()).isEqualTo("fp16");
    assertThat(half.in(downloads)).isNotEqualTo(half);
  }

  @Test
  void anEmptyVariantIsRefused() {
    assertThatThrownBy(() -> ModelConfig.builder(downloads).variant(""))
        .hasMessage("variant is empty");
  }

  @Test
  void lorasAreTakenInTheirOrderAndTheirScalesAreRead() {
    ModelConfig config =
        ModelConfig.builder(downloads)
            .loras("b.safetensors:0.5", "org/a")
            .loraIgnoreUnknown(true)
            .dynamicLora(true)
            .loraCache(5)
            .build();
    assertThat(config.loras()).containsExactly("b.safetensors:0.5", "org/a");
    assertThat(config)
        .hasToString(
            downloads
                + " ModelConfig[download_dir=none, variant=none, weights_dtype=none,"
                + " transformer_2=none, vae=none, image_encoder=none, text_encoder=none,"
                + " text_encoder_2=none, text_encoder_3=none, tokenizer=none, tokenizer_2=none,"
                + " tokenizer_3=none, quantize=none, quantize_text_encoder=none,"
                + " lora=[b.safetensors:0.5, org/a], lora_ignore_unknown=true, dynamic_lora=true,"
                + " lora_cache=5, ip_adapter=none, text_cache=64, cache_calibration=none]");
    assertThatThrownBy(() -> ModelConfig.builder(downloads).loras("a.safetensors:much"))
        .hasMessage("lora must end with a number after its colon, but is a.safetensors:much");
    assertThatThrownBy(() -> ModelConfig.builder(downloads).loras(" ")).hasMessage("lora is empty");
    assertThatThrownBy(() -> ModelConfig.builder(downloads).set(ModelConfig.LORA, 3))
        .hasMessage("lora must be a text, but is 3");
    assertThatThrownBy(() -> ModelConfig.builder(downloads).loraCache(0))
        .hasMessage("lora_cache must be at least 1, but is 0");
  }

  @Test
  void typesOfFilesAreKeptWhereThatIsCheapUnlessAllAreWidened() {
    ModelConfig config = ModelConfig.builder(downloads).build();
    assertThat(config.keepsTypesWhereCheap()).isTrue();
    assertThat(config.keepsWeightTypes()).isFalse();
    ModelConfig widened = config.toBuilder().keepWeightTypes(false).build();
    assertThat(widened.keepsTypesWhereCheap()).isFalse();
    assertThat(widened.keepsWeightTypes()).isFalse();
    ModelConfig kept = config.toBuilder().keepWeightTypes(true).build();
    assertThat(kept.keepsTypesWhereCheap()).isTrue();
    assertThat(kept.keepsWeightTypes()).isTrue();
  }

  private ModelConfig named(String name) {
    return ModelConfig.named(name, downloads).build();
  }
}
