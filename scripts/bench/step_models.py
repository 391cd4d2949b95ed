"""What a step of each model is: the transformer at its real width, its inputs, how diffusers calls it.

A new model is one more entry of MODELS here and one more BenchModel on the Java side.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import (
    DiTTransformer2DModel,
    FluxTransformer2DModel,
    HunyuanDiT2DModel,
    LatteTransformer3DModel,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
)
from diffusers.models.embeddings import get_2d_rotary_pos_embed
from diffusers.pipelines.hunyuandit.pipeline_hunyuandit import get_resize_crop_region_for_grid


@dataclass(frozen=True)
class StepModel:
    """A model as this benchmark runs it."""

    title: str
    timestep: float
    transformer: Callable[[], torch.nn.Module]
    """Makes it with random weights, in fp32."""
    inputs: Callable[[torch.Generator, int], dict[str, torch.Tensor]]
    """Of latents along each side: `latents`, and `text.<name>` by the names that the Java side gives them."""
    forward: Callable[[torch.nn.Module, dict[str, torch.Tensor], float], torch.Tensor]
    """diffusers' call; the prediction without learned variances, in the latents' shape."""
    side: int = 64
    """Latents along each side, where nothing else is asked for."""


_TEXT_TOKENS = 120  # PixArt-alpha's maximum
_CAPTION_CHANNELS = 4096  # T5-XXL


def _pixart() -> torch.nn.Module:
    return PixArtTransformer2DModel(
        num_attention_heads=16,
        attention_head_dim=72,
        cross_attention_dim=1152,
        num_layers=8,
        sample_size=64,
        in_channels=4,
        out_channels=8,
        patch_size=2,
        interpolation_scale=1,
        caption_channels=_CAPTION_CHANNELS,
        use_additional_conditions=False,
    )


def _pixart_inputs(generator: torch.Generator, side: int) -> dict[str, torch.Tensor]:
    # guidance: the negative and the positive prompt of one picture
    latents = torch.randn(1, 4, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, _TEXT_TOKENS, _CAPTION_CHANNELS, generator=generator),
        "text.prompt_attention_mask": torch.ones(2, _TEXT_TOKENS, dtype=torch.int64),
    }


def _pixart_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    prediction = transformer(
        inputs["latents"],
        encoder_hidden_states=inputs["text.prompt_embeds"],
        encoder_attention_mask=inputs["text.prompt_attention_mask"],
        timestep=torch.full((2,), int(timestep)),
        added_cond_kwargs={"resolution": None, "aspect_ratio": None},
        return_dict=False,
    )[0]
    return prediction.chunk(2, dim=1)[0]


def _sd3() -> torch.nn.Module:
    return SD3Transformer2DModel(
        sample_size=128,
        patch_size=2,
        in_channels=16,
        num_layers=4,
        attention_head_dim=64,
        num_attention_heads=24,
        joint_attention_dim=4096,
        caption_projection_dim=1536,
        pooled_projection_dim=2048,
        out_channels=16,
        pos_embed_max_size=192,
    )


def _sd35_medium() -> torch.nn.Module:
    return SD3Transformer2DModel.from_config(
        {**_sd3().config, "qk_norm": "rms_norm", "dual_attention_layers": [0, 1], "pos_embed_max_size": 384}
    )


def _sd3_inputs(generator: torch.Generator, side: int) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 16, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, 333, 4096, generator=generator),  # 77 of CLIP, 256 of T5
        "text.pooled_prompt_embeds": torch.randn(2, 2048, generator=generator),
    }


def _sd3_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    return transformer(
        inputs["latents"],
        encoder_hidden_states=inputs["text.prompt_embeds"],
        pooled_projections=inputs["text.pooled_prompt_embeds"],
        timestep=torch.full((2,), timestep),
        return_dict=False,
    )[0]


def _flux() -> torch.nn.Module:
    return FluxTransformer2DModel(num_layers=1, num_single_layers=2, guidance_embeds=False)


def _flux_inputs(generator: torch.Generator, side: int) -> dict[str, torch.Tensor]:
    return {
        "latents": torch.randn(1, 16, side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 256, 4096, generator=generator),
        "text.pooled_prompt_embeds": torch.randn(1, 768, generator=generator),
    }


def _flux_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    latents = inputs["latents"]
    b, c, h, w = latents.shape
    packed = latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, c * 4)
    rows, columns = torch.meshgrid(torch.arange(h // 2), torch.arange(w // 2), indexing="ij")
    image_ids = torch.stack([torch.zeros_like(rows), rows, columns], -1).view(-1, 3).to(latents.dtype)
    prediction = transformer(
        packed,
        encoder_hidden_states=inputs["text.prompt_embeds"],
        pooled_projections=inputs["text.pooled_prompt_embeds"],
        timestep=torch.full((b,), timestep / 1000).to(latents.dtype),
        img_ids=image_ids,
        txt_ids=torch.zeros(inputs["text.prompt_embeds"].shape[1], 3, dtype=latents.dtype),
        return_dict=False,
    )[0]
    return prediction.view(b, h // 2, w // 2, c, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(b, c, h, w)


def _hunyuandit() -> torch.nn.Module:
    return HunyuanDiT2DModel(
        num_attention_heads=16,
        attention_head_dim=88,
        in_channels=4,
        patch_size=2,
        activation_fn="gelu-approximate",
        sample_size=64,
        hidden_size=1408,
        num_layers=6,
        mlp_ratio=4.3637,
        learn_sigma=True,
        cross_attention_dim=1024,
        cross_attention_dim_t5=2048,
        pooled_projection_dim=1024,
        text_len=77,
        text_len_t5=256,
        use_style_cond_and_image_meta_size=False,
    )


def _hunyuandit_inputs(generator: torch.Generator, side: int) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 4, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, 77, 1024, generator=generator),
        "text.prompt_attention_mask": torch.ones(2, 77, dtype=torch.int64),
        "text.prompt_embeds_2": torch.randn(2, 256, 2048, generator=generator),
        "text.prompt_attention_mask_2": torch.ones(2, 256, dtype=torch.int64),
    }


def _hunyuandit_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    rows = inputs["latents"].shape[-1] // 2
    region = get_resize_crop_region_for_grid((rows, rows), 512 // 8 // 2)
    rotary = get_2d_rotary_pos_embed(88, region, (rows, rows), output_type="pt")
    prediction = transformer(
        inputs["latents"],
        torch.full((2,), timestep, dtype=inputs["latents"].dtype),
        encoder_hidden_states=inputs["text.prompt_embeds"],
        text_embedding_mask=inputs["text.prompt_attention_mask"],
        encoder_hidden_states_t5=inputs["text.prompt_embeds_2"],
        text_embedding_mask_t5=inputs["text.prompt_attention_mask_2"],
        image_rotary_emb=rotary,
        return_dict=False,
    )[0]
    return prediction.chunk(2, dim=1)[0]


def _latte() -> torch.nn.Module:
    return LatteTransformer3DModel(
        num_attention_heads=16,
        attention_head_dim=72,
        in_channels=4,
        out_channels=8,
        num_layers=3,
        cross_attention_dim=1152,
        sample_size=64,
        patch_size=2,
        activation_fn="gelu-approximate",
        attention_bias=True,
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        norm_eps=1e-6,
        caption_channels=_CAPTION_CHANNELS,
        video_length=8,
    )


def _latte_inputs(generator: torch.Generator, side: int) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 4, 8, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, _TEXT_TOKENS, _CAPTION_CHANNELS, generator=generator),
    }


def _latte_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    prediction = transformer(
        inputs["latents"],
        encoder_hidden_states=inputs["text.prompt_embeds"],
        timestep=torch.full((2,), int(timestep)),
        enable_temporal_attentions=True,
        return_dict=False,
    )[0]
    return prediction.chunk(2, dim=1)[0]


def _dit() -> torch.nn.Module:
    return DiTTransformer2DModel(
        num_attention_heads=16,
        attention_head_dim=72,
        in_channels=4,
        out_channels=8,
        num_layers=8,
        sample_size=32,
        patch_size=2,
        num_embeds_ada_norm=1000,
    )


def _dit_inputs(generator: torch.Generator, side: int) -> dict[str, torch.Tensor]:
    latents = torch.randn(4, 4, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.class_labels": torch.tensor([1000, 1000, 1000, 1000, 207, 360, 387, 974]),
    }


def _dit_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    prediction = transformer(
        inputs["latents"],
        timestep=torch.full((8,), int(timestep)),
        class_labels=inputs["text.class_labels"],
        return_dict=False,
    )[0]
    return prediction.chunk(2, dim=1)[0]


MODELS = {
    "pixart": StepModel(
        title="PixArt, width 1152 (16 heads of 72), 8 blocks, 1,024 tokens, batch 2, 120 text tokens",
        timestep=500,
        transformer=_pixart,
        inputs=_pixart_inputs,
        forward=_pixart_forward,
    ),
    "sd3": StepModel(
        title="Stable Diffusion 3 medium, width 1536 (24 heads of 64), 4 blocks, 1,024 + 333 tokens, batch 2",
        timestep=500,
        transformer=_sd3,
        inputs=_sd3_inputs,
        forward=_sd3_forward,
    ),
    "sd35_medium": StepModel(
        title="Stable Diffusion 3.5 medium, as sd3, with norms and two blocks of dual attention",
        timestep=500,
        transformer=_sd35_medium,
        inputs=_sd3_inputs,
        forward=_sd3_forward,
    ),
    "flux": StepModel(
        title="Flux, width 3072 (24 heads of 128), 1 double and 2 single blocks, 1,024 + 256 tokens, batch 1",
        timestep=500,
        transformer=_flux,
        inputs=_flux_inputs,
        forward=_flux_forward,
    ),
    "hunyuandit": StepModel(
        title="HunyuanDiT, width 1408 (16 heads of 88), 6 blocks, 1,024 tokens, batch 2, 333 text tokens",
        timestep=500,
        transformer=_hunyuandit,
        inputs=_hunyuandit_inputs,
        forward=_hunyuandit_forward,
    ),
    "latte": StepModel(
        title="Latte, width 1152 (16 heads of 72), 3 + 3 blocks, 8 frames of 256 tokens, batch 2, 120 text tokens",
        timestep=500,
        transformer=_latte,
        inputs=_latte_inputs,
        forward=_latte_forward,
        side=32,
    ),
    "dit": StepModel(
        title="DiT-XL/2, width 1152 (16 heads of 72), 8 blocks, 256 tokens, batch 8",
        timestep=500,
        transformer=_dit,
        inputs=_dit_inputs,
        forward=_dit_forward,
        side=32,
    ),
}
