package io.xfuser.models.internal.lora;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoraAddressTest {
  /** Prefixes of programs, names with dots and underscores, and one left at an end. */
  @ParameterizedTest
  @CsvSource({
    "diffusion_model.double_blocks.0.img_attn.qkv, transformer, double_blocks_0_img_attn_qkv",
    "lora_unet_double_blocks_0_img_attn_qkv, transformer, double_blocks_0_img_attn_qkv",
    "base_model.model.diffusion_model.blocks.0.ffn.2, transformer, blocks_0_ffn_2",
    "pipe.dit.blocks.0.self_attn.q, transformer, blocks_0_self_attn_q",
    "lora_unet_single_transformer_blocks_0_attn_to_k_, transformer,"
        + " single_transformer_blocks_0_attn_to_k",
    "lora_unet__layers_0_attention_to_k, transformer, layers_0_attention_to_k",
    "lora_te1_text_model_encoder_layers_0_mlp_fc1, text_encoder,"
        + " text_model_encoder_layers_0_mlp_fc1",
    "lora_te2_text_model_encoder_layers_0_mlp_fc1, text_encoder_2,"
        + " text_model_encoder_layers_0_mlp_fc1",
    "lora_te3_encoder_block_0_layer_0_SelfAttention_k, text_encoder_3,"
        + " encoder_block_0_layer_0_SelfAttention_k",
    "text_encoders.t5xxl.transformer.encoder.block.0.layer.1.DenseReluDense.wo, text_encoder_2,"
        + " encoder_block_0_layer_1_DenseReluDense_wo"
  })
  void aModuleIsFoundByItsPrefix(String module, String component, String path) {
    LoraAddress address = LoraAddress.of(module);
    assertThat(address.mayBeOf(component)).isTrue();
    assertThat(address.mayBeOf("vae")).isFalse();
    assertThat(address.path()).isEqualTo(path);
  }
}
