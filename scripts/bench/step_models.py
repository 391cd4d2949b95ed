"""What a step of each model is: the transformer at its real width, its inputs, how diffusers calls it.

A new model is one more entry of MODELS here and one more BenchModel on the Java side.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import HunyuanDiT2DModel, PixArtTransformer2DModel
from diffusers.models.embeddings import get_2d_rotary_pos_embed
from diffusers.pipelines.hunyuandit.pipeline_hunyuandit import get_resize_crop_region_for_grid


@dataclass(frozen=True)
class StepModel:
    """A model as this benchmark runs it."""

    title: str
    timestep: float
    transformer: Callable[[], torch.nn.Module]
    """Makes it with random weights, in fp32."""
    inputs: Callable[[torch.Generator], dict[str, torch.Tensor]]
    """`latents`, and `text.<name>` by the names that the Java side gives them."""
    forward: Callable[[torch.nn.Module, dict[str, torch.Tensor], float], torch.Tensor]
    """diffusers' call; the prediction without learned variances, in the latents' shape."""


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


def _pixart_inputs(generator: torch.Generator) -> dict[str, torch.Tensor]:
    # guidance: the negative and the positive prompt of one picture
    latents = torch.randn(1, 4, 64, 64, generator=generator)
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


def _hunyuandit() -> torch.nn.Module:
    return HunyuanDiT2DModel(
        num_attention_heads=16,
        attention_head_dim=88,
        in_channels=4,
        patch_size=2,
        sample_size=64,
        hidden_size=1408,
        num_layers=4,
        mlp_ratio=4.3637,
        use_style_cond_and_image_meta_size=False,
    )


def _hunyuandit_inputs(generator: torch.Generator) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 4, 64, 64, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, 77, 1024, generator=generator),
        "text.prompt_attention_mask": torch.ones(2, 77, dtype=torch.int64),
        "text.prompt_embeds_2": torch.randn(2, 256, 2048, generator=generator),
        "text.prompt_attention_mask_2": torch.ones(2, 256, dtype=torch.int64),
    }


def _hunyuandit_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    latents = inputs["latents"]
    grid = (latents.shape[2] // 2, latents.shape[3] // 2)
    rotation = get_2d_rotary_pos_embed(88, get_resize_crop_region_for_grid(grid, 32), grid, output_type="pt")
    prediction = transformer(
        latents,
        torch.full((2,), timestep).to(latents.dtype),
        encoder_hidden_states=inputs["text.prompt_embeds"],
        text_embedding_mask=inputs["text.prompt_attention_mask"],
        encoder_hidden_states_t5=inputs["text.prompt_embeds_2"],
        text_embedding_mask_t5=inputs["text.prompt_attention_mask_2"],
        image_rotary_emb=rotation,
        return_dict=False,
    )[0]
    return prediction.chunk(2, dim=1)[0]


MODELS = {
    "hunyuandit": StepModel(
        title="HunyuanDiT, width 1408 (16 heads of 88), 4 blocks, 1,024 tokens, batch 2, 77 + 256 text tokens",
        timestep=500,
        transformer=_hunyuandit,
        inputs=_hunyuandit_inputs,
        forward=_hunyuandit_forward,
    ),
    "pixart": StepModel(
        title="PixArt, width 1152 (16 heads of 72), 8 blocks, 1,024 tokens, batch 2, 120 text tokens",
        timestep=500,
        transformer=_pixart,
        inputs=_pixart_inputs,
        forward=_pixart_forward,
    ),
}
