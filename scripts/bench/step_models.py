"""What a step of each model is: the transformer at its real width, its inputs, how diffusers calls it.

A new model is one more entry of MODELS here and one more BenchModel on the Java side.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import PixArtTransformer2DModel, SD3Transformer2DModel


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


_CLIP_TOKENS = 77
_SD3_TEXT_TOKENS = _CLIP_TOKENS + 256  # the pipeline's default for T5
_SD3_POOLED = 2048


def _sd3() -> torch.nn.Module:
    return SD3Transformer2DModel(
        sample_size=128,
        patch_size=2,
        in_channels=16,
        out_channels=16,
        num_layers=4,
        attention_head_dim=64,
        num_attention_heads=24,
        joint_attention_dim=_CAPTION_CHANNELS,
        caption_projection_dim=1536,
        pooled_projection_dim=_SD3_POOLED,
        pos_embed_max_size=192,
    )


def _sd35_medium() -> torch.nn.Module:
    return SD3Transformer2DModel.from_config(
        {**_sd3().config, "qk_norm": "rms_norm", "dual_attention_layers": [0, 1], "pos_embed_max_size": 384}
    )


def _sd3_inputs(generator: torch.Generator) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 16, 64, 64, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, _SD3_TEXT_TOKENS, _CAPTION_CHANNELS, generator=generator),
        "text.pooled_prompt_embeds": torch.randn(2, _SD3_POOLED, generator=generator),
    }


def _sd3_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    return transformer(
        inputs["latents"],
        encoder_hidden_states=inputs["text.prompt_embeds"],
        pooled_projections=inputs["text.pooled_prompt_embeds"],
        timestep=torch.full((2,), timestep),
        return_dict=False,
    )[0]


MODELS = {
    "pixart": StepModel(
        title="PixArt, width 1152 (16 heads of 72), 8 blocks, 1,024 tokens, batch 2, 120 text tokens",
        timestep=500,
        transformer=_pixart,
        inputs=_pixart_inputs,
        forward=_pixart_forward,
    ),
    "sd3": StepModel(
        title="Stable Diffusion 3 medium, width 1536 (24 heads of 64), 4 blocks, 1,024 tokens, batch 2, 333 text tokens",
        timestep=500,
        transformer=_sd3,
        inputs=_sd3_inputs,
        forward=_sd3_forward,
    ),
    "sd35_medium": StepModel(
        title="Stable Diffusion 3.5 medium: as sd3, with normed queries and keys and a second attention in 2 of 4 blocks",
        timestep=500,
        transformer=_sd35_medium,
        inputs=_sd3_inputs,
        forward=_sd3_forward,
    ),
}
