"""What a step of each model is: the transformer at its real width, its inputs, how diffusers calls it.

A new model is one more entry of MODELS: a tiny pipeline of the tests, in whose directory a transformer of the real width takes
the place of the tiny one. Only texts have the tiny width: they are projected once a request.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers.models.embeddings import get_2d_rotary_pos_embed
from diffusers.pipelines.hunyuandit.pipeline_hunyuandit import get_resize_crop_region_for_grid


@dataclass(frozen=True)
class StepModel:
    """A model as this benchmark runs it."""

    title: str
    tiny: str
    """The directory of the tiny pipeline."""
    real: dict
    """The settings of the transformer in which it differs from the tiny one."""
    inputs: Callable[[torch.Generator, int, dict], dict[str, torch.Tensor]]
    """Of latents along each side and the settings: `latents`, and `text.<name>` by the names that the Java side gives them."""
    forward: Callable[[torch.nn.Module, dict[str, torch.Tensor], float], torch.Tensor]
    """diffusers' call; the prediction without learned variances, in the shape that the pipeline's latents have."""
    any_text: bool = True
    """Whether it takes a text of any number of tokens, and has one."""
    side: int = 64
    """Latents along each side, where nothing else is asked for."""
    timestep: float = 500

    @property
    def directory(self) -> Path:
        return _FIXTURES / self.tiny

    def transformer(self, **more) -> torch.nn.Module:
        """With random weights, in fp32, with `more` settings."""
        config = {**json.loads((self.directory / "transformer/config.json").read_text()), **self.real, **more}
        return getattr(diffusers, config["_class_name"]).from_config(config)

    def write(self, transformer: torch.nn.Module, folder: Path) -> None:
        """The tiny pipeline with `transformer` in the place of its own."""
        for part in self.directory.iterdir():
            if part.name != "transformer":
                (folder / part.name).symlink_to(part)
        transformer.save_pretrained(folder / "transformer")


@dataclass(frozen=True)
class TextEncoderModel:
    """A language model as a text encoder: a prompt's tokens become the states of its first layers."""

    title: str
    tiny: str
    """The directory of the tiny pipeline, which has the tokenizer; the states are those before the last layer."""
    real: dict
    """The settings of the text encoder in which it differs from the tiny one."""
    width: str
    """The setting of the transformer that is the encoder's width."""
    tokens: int
    any_text: bool = False
    side: int | None = None
    timestep: float = 0

    @property
    def directory(self) -> Path:
        return _FIXTURES / self.tiny

    def transformer(self) -> torch.nn.Module:
        """The encoder, with random weights in fp32."""
        config = transformers.AutoConfig.from_pretrained(self.directory / "text_encoder", **self.real)
        return transformers.AutoModel.from_config(config, torch_dtype=torch.float32)

    def write(self, encoder: torch.nn.Module, folder: Path) -> None:
        """The tiny pipeline with it, and with a transformer of its width; then `encoder` has no last layer, and no norm behind it."""
        for part in self.directory.iterdir():
            if part.name not in ("transformer", "text_encoder"):
                (folder / part.name).symlink_to(part)
        config = json.loads((self.directory / "transformer/config.json").read_text())
        config[self.width] = encoder.config.hidden_size
        getattr(diffusers, config["_class_name"]).from_config(config).save_pretrained(folder / "transformer")
        encoder.save_pretrained(folder / "text_encoder")
        (folder / "prompt.txt").write_text(self.prompt)
        del encoder.layers[-1:]
        encoder.config.num_hidden_layers -= 1
        encoder.norm = torch.nn.Identity()

    @property
    def prompt(self) -> str:
        return "a fox in the snow, " * self.tokens  # more than are read

    def inputs(self, generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.directory / "tokenizer")
        message = [{"role": "user", "content": self.prompt}]
        text = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True, enable_thinking=True)
        tokens = tokenizer(text, max_length=self.tokens, truncation=True, return_tensors="pt")
        return {name: tokens[name] for name in ("input_ids", "attention_mask")}

    def forward(self, encoder: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
        return encoder(**inputs).last_hidden_state


_FIXTURES = Path(__file__).parents[2] / "xfuser-models/src/test/resources/fixtures"


_TEXT_TOKENS = 120  # PixArt-alpha's maximum


def _pixart_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    # guidance: the negative and the positive prompt of one picture
    latents = torch.randn(1, 4, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, _TEXT_TOKENS, config["caption_channels"], generator=generator),
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


def _sd3_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 16, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, 333, config["joint_attention_dim"], generator=generator),  # 77 of CLIP, 256 of T5
        "text.pooled_prompt_embeds": torch.randn(2, config["pooled_projection_dim"], generator=generator),
    }


def _sd3_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    return transformer(
        inputs["latents"],
        encoder_hidden_states=inputs["text.prompt_embeds"],
        pooled_projections=inputs["text.pooled_prompt_embeds"],
        timestep=torch.full((2,), timestep),
        return_dict=False,
    )[0]


def _flux_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    return {
        "latents": torch.randn(1, 16, side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 256, config["joint_attention_dim"], generator=generator),
        "text.pooled_prompt_embeds": torch.randn(1, config["pooled_projection_dim"], generator=generator),
    }


def _flux_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    return _streams(transformer, inputs, timestep, pooled_projections=inputs["text.pooled_prompt_embeds"])


def _chroma_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    mask = torch.zeros(1, 256, dtype=torch.int64)
    mask[:, :40] = 1
    return {
        "latents": torch.randn(1, 16, side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 256, config["joint_attention_dim"], generator=generator),
        "text.prompt_attention_mask": mask,
    }


def _chroma_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    latents = inputs["latents"]
    image = torch.ones(1, latents.shape[2] * latents.shape[3] // 4)
    mask = torch.cat([inputs["text.prompt_attention_mask"], image], 1).to(latents.dtype)
    return _streams(transformer, inputs, timestep, attention_mask=mask)


def _streams(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float, **more) -> torch.Tensor:
    latents = inputs["latents"]
    b, _, h, w = latents.shape
    rows, columns = torch.meshgrid(torch.arange(h // 2), torch.arange(w // 2), indexing="ij")
    image_ids = torch.stack([torch.zeros_like(rows), rows, columns], -1).view(-1, 3).to(latents.dtype)
    return transformer(
        _packed(latents),
        encoder_hidden_states=inputs["text.prompt_embeds"],
        timestep=torch.full((b,), timestep / 1000).to(latents.dtype),
        img_ids=image_ids,
        txt_ids=torch.zeros(inputs["text.prompt_embeds"].shape[1], 3, dtype=latents.dtype),
        return_dict=False,
        **more,
    )[0]


def _packed(latents: torch.Tensor) -> torch.Tensor:
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, c * 4)


def _zimage_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    return {
        "latents": torch.randn(1, 16, side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 128, config["cap_feat_dim"], generator=generator),
        "text.prompt_attention_mask": torch.ones(1, 128, dtype=torch.int64),
    }


def _zimage_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    latents = list(inputs["latents"].unsqueeze(2).unbind(0))
    time = torch.full((1,), (1000 - timestep) / 1000)
    predictions = transformer(latents, time, list(inputs["text.prompt_embeds"]), return_dict=False)[0]
    return -torch.stack([x.float() for x in predictions]).squeeze(2)


def _qwenimage_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    return {
        "latents": torch.randn(1, config["in_channels"] // 4, side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 256, config["joint_attention_dim"], generator=generator),
        "text.prompt_embeds_mask": torch.ones(1, 256, dtype=torch.int64),
    }


def _qwenimage_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    latents = inputs["latents"]
    b, _, h, w = latents.shape
    return transformer(
        hidden_states=_packed(latents),
        timestep=torch.full((b,), timestep / 1000).to(latents.dtype),
        encoder_hidden_states=inputs["text.prompt_embeds"],
        encoder_hidden_states_mask=inputs["text.prompt_embeds_mask"],
        img_shapes=[[(1, h // 2, w // 2)]] * b,
        txt_seq_lens=[inputs["text.prompt_embeds"].shape[1]] * b,
        return_dict=False,
    )[0]


def _flux2_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    return {
        "latents": torch.randn(1, config["in_channels"], side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 256, config["joint_attention_dim"], generator=generator),
    }


def _flux2_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    latents = inputs["latents"]
    b, _, h, w = latents.shape
    text = inputs["text.prompt_embeds"]
    one = torch.arange(1)
    image_ids = torch.cartesian_prod(one, torch.arange(h), torch.arange(w), one)
    text_ids = torch.cartesian_prod(one, one, one, torch.arange(text.shape[1]))
    return transformer(
        hidden_states=latents.flatten(2).transpose(1, 2),
        timestep=torch.full((b,), timestep / 1000).to(latents.dtype),
        guidance=None,
        encoder_hidden_states=text,
        txt_ids=text_ids.unsqueeze(0),
        img_ids=image_ids.unsqueeze(0),
        return_dict=False,
    )[0]


def _sana_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, config["in_channels"], side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, 300, config["caption_channels"], generator=generator),
        "text.prompt_attention_mask": torch.ones(2, 300, dtype=torch.int64),
    }


def _sana_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    return transformer(
        inputs["latents"],
        encoder_hidden_states=inputs["text.prompt_embeds"],
        encoder_attention_mask=inputs["text.prompt_attention_mask"],
        timestep=torch.full((2,), timestep),
        return_dict=False,
    )[0]


def _hunyuandit_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 4, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, 77, config["cross_attention_dim"], generator=generator),
        "text.prompt_attention_mask": torch.ones(2, 77, dtype=torch.int64),
        "text.prompt_embeds_2": torch.randn(2, 256, config["cross_attention_dim_t5"], generator=generator),
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


def _latte_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    latents = torch.randn(1, 4, 8, side, side, generator=generator)
    return {
        "latents": torch.cat([latents, latents]),
        "text.prompt_embeds": torch.randn(2, _TEXT_TOKENS, config["caption_channels"], generator=generator),
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


def _wan_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    text = torch.randn(1, 512, config["text_dim"], generator=generator)
    text[:, 40:] = 0  # as the pipeline leaves padding
    return {
        "latents": torch.randn(1, config["in_channels"], 5, side, side, generator=generator),
        "text.prompt_embeds": text,
    }


def _wan_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    return transformer(
        hidden_states=inputs["latents"],
        timestep=torch.full((1,), int(timestep)),
        encoder_hidden_states=inputs["text.prompt_embeds"],
        return_dict=False,
    )[0]


def _hunyuanvideo_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    return {
        "latents": torch.randn(1, config["out_channels"], 5, side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 200, config["text_embed_dim"], generator=generator),
        "text.prompt_embeds_mask": torch.ones(1, 200, dtype=torch.int64),
        "text.prompt_embeds_2": torch.zeros(1, 1, config["text_embed_2_dim"]),
        "text.prompt_embeds_mask_2": torch.zeros(1, 1, dtype=torch.int64),
    }


def _hunyuanvideo_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    """Without the padding to 1,000 and 256 tokens and the 729 places of a picture, which the pipeline computes and masks."""
    latents = inputs["latents"]
    mask = inputs["text.prompt_embeds_mask"].to(latents.dtype)
    return transformer(
        hidden_states=torch.cat([latents, torch.zeros_like(latents), torch.zeros_like(latents[:, :1])], 1),
        timestep=torch.full((1,), timestep, dtype=latents.dtype),
        encoder_hidden_states=inputs["text.prompt_embeds"],
        encoder_attention_mask=mask,
        encoder_hidden_states_2=inputs["text.prompt_embeds_2"],
        encoder_attention_mask_2=torch.zeros_like(mask[:, :1]),
        image_embeds=torch.zeros(1, 1, transformer.config.image_embed_dim, dtype=latents.dtype),
        return_dict=False,
    )[0]


def _cogvideox_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
    return {
        "latents": torch.randn(1, 5, config["in_channels"], side, side, generator=generator),
        "text.prompt_embeds": torch.randn(1, 226, config["text_embed_dim"], generator=generator),
    }


def _cogvideox_forward(transformer: torch.nn.Module, inputs: dict[str, torch.Tensor], timestep: float) -> torch.Tensor:
    prediction = transformer(
        hidden_states=inputs["latents"],
        encoder_hidden_states=inputs["text.prompt_embeds"],
        timestep=torch.full((1,), int(timestep)),
        return_dict=False,
    )[0]
    return prediction.float()


def _dit_inputs(generator: torch.Generator, side: int, config: dict) -> dict[str, torch.Tensor]:
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


_SD3 = {
    "sample_size": 128, "num_layers": 4, "attention_head_dim": 64, "num_attention_heads": 24, "caption_projection_dim": 1536,
    "pos_embed_max_size": 192,
}  # fmt: skip
_STREAMS = {
    "num_layers": 1, "num_single_layers": 2, "attention_head_dim": 128, "num_attention_heads": 24, "axes_dims_rope": [16, 56, 56]
}  # fmt: skip

MODELS = {
    "pixart": StepModel(
        title="PixArt, width 1152 (16 heads of 72), 8 blocks, 1,024 tokens, batch 2, 120 text tokens",
        tiny="pixart_alpha_tiny",
        real={
            "_class_name": "PixArtTransformer2DModel", "num_attention_heads": 16, "attention_head_dim": 72,
            "cross_attention_dim": 1152, "num_layers": 8, "sample_size": 64, "interpolation_scale": 1,
            "use_additional_conditions": False,
        },
        inputs=_pixart_inputs,
        forward=_pixart_forward,
    ),
    "sd3": StepModel(
        title="Stable Diffusion 3 medium, width 1536 (24 heads of 64), 4 blocks, 1,024 + 333 tokens, batch 2",
        tiny="sd3_tiny",
        real=_SD3,
        inputs=_sd3_inputs,
        forward=_sd3_forward,
    ),
    "sd35_medium": StepModel(
        title="Stable Diffusion 3.5 medium, as sd3, with norms and two blocks of dual attention",
        tiny="sd35_medium_tiny",
        real={**_SD3, "dual_attention_layers": [0, 1], "pos_embed_max_size": 384},
        inputs=_sd3_inputs,
        forward=_sd3_forward,
    ),
    "flux": StepModel(
        title="Flux, width 3072 (24 heads of 128), 1 double and 2 single blocks, 1,024 + 256 tokens, batch 1",
        tiny="flux_schnell_tiny",
        real=_STREAMS,
        inputs=_flux_inputs,
        forward=_flux_forward,
    ),
    "chroma": StepModel(
        title="Chroma, as flux, its approximator of 5 layers of 5120 in each step, 40 of 256 text tokens no padding",
        tiny="chroma_tiny",
        real={**_STREAMS, "approximator_num_channels": 64, "approximator_hidden_dim": 5120, "approximator_layers": 5},
        inputs=_chroma_inputs,
        forward=_chroma_forward,
    ),
    "zimage": StepModel(
        title="Z-Image, width 3840 (30 heads of 128), 1 refiner and 2 blocks, 1,024 + 128 tokens, batch 1",
        tiny="zimage_tiny",
        real={
            "dim": 3840, "n_heads": 30, "n_kv_heads": 30, "n_layers": 2, "n_refiner_layers": 1, "axes_dims": [32, 48, 48],
        },
        inputs=_zimage_inputs,
        forward=_zimage_forward,
    ),
    "qwenimage": StepModel(
        title="Qwen-Image, width 3072 (24 heads of 128), 2 blocks, 1,024 + 256 tokens, batch 1",
        tiny="qwenimage_tiny",
        real={"num_layers": 2, "attention_head_dim": 128, "num_attention_heads": 24, "axes_dims_rope": [16, 56, 56]},
        inputs=_qwenimage_inputs,
        forward=_qwenimage_forward,
    ),
    "flux2_klein": StepModel(
        title="Flux.2 klein 4B, width 3072 (24 heads of 128), 1 double and 2 single blocks, 1,024 + 256 tokens, batch 1",
        tiny="flux2_klein_tiny",
        real={**_STREAMS, "axes_dims_rope": [32, 32, 32, 32]},
        inputs=_flux2_inputs,
        forward=_flux2_forward,
        side=32,
    ),
    "sana": StepModel(
        title="SANA 1.6B, width 2240 (70 heads of 32), 4 blocks, 1,024 tokens, batch 2, 300 text tokens",
        tiny="sana_tiny",
        real={
            "num_attention_heads": 70, "attention_head_dim": 32, "num_cross_attention_heads": 20, "cross_attention_head_dim": 112,
            "cross_attention_dim": 2240, "num_layers": 4,
        },
        inputs=_sana_inputs,
        forward=_sana_forward,
        side=32,
    ),
    "hunyuandit": StepModel(
        title="HunyuanDiT, width 1408 (16 heads of 88), 6 blocks, 1,024 tokens, batch 2, 333 text tokens",
        tiny="hunyuandit12_tiny",
        real={
            "num_attention_heads": 16, "attention_head_dim": 88, "sample_size": 64, "hidden_size": 1408, "num_layers": 6,
        },
        inputs=_hunyuandit_inputs,
        forward=_hunyuandit_forward,
        any_text=False,
    ),
    "latte": StepModel(
        title="Latte, width 1152 (16 heads of 72), 3 + 3 blocks, 8 frames of 256 tokens, batch 2, 120 text tokens",
        tiny="latte_tiny",
        real={
            "num_attention_heads": 16, "attention_head_dim": 72, "num_layers": 3, "cross_attention_dim": 1152,
            "sample_size": 64, "video_length": 8,
        },
        inputs=_latte_inputs,
        forward=_latte_forward,
        side=32,
    ),
    "wan": StepModel(
        title="Wan 2.1 1.3B, width 1536 (12 heads of 128), 2 blocks, 5 frames of 256 tokens, batch 1, 512 text tokens",
        tiny="wan_tiny",
        real={"num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960, "num_layers": 2},
        inputs=_wan_inputs,
        forward=_wan_forward,
        side=32,
    ),
    "hunyuanvideo": StepModel(
        title="HunyuanVideo 1.5, width 2048 (16 heads of 128), 2 blocks, 5 frames of 256 tokens, batch 1, 200 text tokens",
        tiny="hunyuanvideo15_tiny",
        real={"num_attention_heads": 16, "attention_head_dim": 128, "rope_axes_dim": [16, 56, 56], "num_layers": 2},
        inputs=_hunyuanvideo_inputs,
        forward=_hunyuanvideo_forward,
        side=16,
    ),
    "cogvideox": StepModel(
        title="CogVideoX 2b, width 1920 (30 heads of 64), 2 blocks, 5 frames of 256 tokens, batch 1, 226 text tokens",
        tiny="cogvideox_tiny",
        real={
            "num_attention_heads": 30, "attention_head_dim": 64, "time_embed_dim": 512, "num_layers": 2,
            "sample_height": 32, "sample_width": 32, "max_text_seq_length": 226,
        },
        inputs=_cogvideox_inputs,
        forward=_cogvideox_forward,
        any_text=False,
        side=32,
    ),
    "qwen3_4b": TextEncoderModel(
        title="Qwen3-4B as a text encoder, width 2560 (32 heads of 128 in 8 groups), 2 layers, 512 tokens",
        tiny="zimage_tiny",
        real={
            "hidden_size": 2560, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
            "intermediate_size": 9728, "num_hidden_layers": 3, "layer_types": ["full_attention"] * 3,
        },
        width="cap_feat_dim",
        tokens=512,
    ),
    "dit": StepModel(
        title="DiT-XL/2, width 1152 (16 heads of 72), 8 blocks, 256 tokens, batch 8",
        tiny="dit_tiny",
        real={
            "_class_name": "DiTTransformer2DModel", "num_attention_heads": 16, "attention_head_dim": 72, "num_layers": 8,
            "sample_size": 32,
        },
        inputs=_dit_inputs,
        forward=_dit_forward,
        any_text=False,
        side=32,
    ),
}

if __name__ == "__main__":
    import sys

    model = MODELS[sys.argv[1]]
    model.write(model.transformer(**json.loads(sys.argv[3])), Path(sys.argv[2]))
