"""The transformer and the text encoder, trained together by flow matching."""

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import PixArtTransformer2DModel
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from autoencoder import CHANNELS
from latents import Views
from names import Name
from scenes import VIEW_WEIGHTS, caption

_HEAD = 64
_HEADS = 4
_TEXT_WIDTH = 128
_GRID = 16  # latents a side
_RATE = 5e-4
_WARM_UP = 50
_LATER = 0.7  # shift of the logits of sigma
_MEAN_KEPT = 0.998  # of the running mean of the weights
_EMPTY_SHARE = 0.1  # captions left out, for classifier-free guidance


class Painter(torch.nn.Module):
    """Both networks: latents, timesteps and token ids in, the flow out."""

    def __init__(self, blocks: int, pieces: int) -> None:
        super().__init__()
        width = _HEADS * _HEAD
        self.transformer = PixArtTransformer2DModel(
            num_attention_heads=_HEADS,
            attention_head_dim=_HEAD,
            in_channels=CHANNELS,
            out_channels=CHANNELS,
            num_layers=blocks,
            cross_attention_dim=width,
            sample_size=_GRID,
            patch_size=2,
            caption_channels=_TEXT_WIDTH,
            use_additional_conditions=False,
            interpolation_scale=1,
        )
        self.text_encoder = T5EncoderModel(
            T5Config(
                vocab_size=pieces,
                d_model=_TEXT_WIDTH,
                d_kv=32,
                d_ff=256,
                num_layers=2,
                num_heads=4,
                feed_forward_proj="gated-gelu",
                dropout_rate=0.0,
                is_encoder_decoder=False,
                use_cache=False,
                tie_word_embeddings=False,
            )
        )
        _initialise(self.transformer, width)

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """latents: (B, 8, 16, 16); timesteps: (B) in 0..1000; ids, mask: (B, T); the result is as the latents."""
        text = self.text_encoder(ids, attention_mask=mask)[0]  # (B, T, 128)
        return self.transformer(
            latents, encoder_hidden_states=text, encoder_attention_mask=mask, timestep=timesteps
        ).sample.float()


@torch.no_grad()
def _initialise(transformer: PixArtTransformer2DModel, width: int) -> None:
    """As DiT's: Xavier for matrices, nothing comes out at first.

    Nor does the text say anything at first. Words that nobody has learned yet are noise, and weights that have been shrunk
    to be rid of it learn names ten times as slowly."""
    for name, weight in transformer.named_parameters():
        if weight.ndim == 2 and "scale_shift" not in name:
            torch.nn.init.xavier_uniform_(weight)
        if name.endswith(".bias"):
            weight.zero_()
    transformer.proj_out.weight.zero_()
    torch.nn.init.xavier_uniform_(transformer.pos_embed.proj.weight.view(width, -1))
    for block in transformer.transformer_blocks:
        block.attn2.to_out[0].weight.zero_()


@dataclass(frozen=True)
class Plan:
    views: int  # of each name, on average
    blocks: int
    seed: int
    device: torch.device
    batch: int = 32


class PainterTraining:
    def __init__(self, plan: Plan, names: list[Name], tokenizer: T5Tokenizer, data: Views, snapshot: Path) -> None:
        torch.manual_seed(plan.seed)
        self.batch = plan.batch
        self.steps = math.ceil(plan.views * len(names) / plan.batch)
        self.model = Painter(plan.blocks, len(tokenizer)).to(plan.device)
        if snapshot.exists():
            self.model.load_state_dict(load_file(snapshot, device=str(plan.device)))
        self._plan = plan
        self._names = names
        self._tokenizer = tokenizer
        self._ids: dict[str, list[int]] = {}
        self._scenes = data.scenes
        self._latents = data.latents.to(plan.device)
        self._weights = list(self.model.parameters())
        self._mean = [weight.detach().clone() for weight in self._weights]
        self._optimizer = torch.optim.AdamW(self._weights, lr=_RATE, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
        self._snapshot = snapshot

    def step(self, index: int) -> float:
        generator = torch.Generator().manual_seed(self._plan.seed * 1_000_003 + index)
        things = torch.randint(len(self._names), (self.batch,), generator=generator)
        views = torch.multinomial(torch.tensor(VIEW_WEIGHTS), self.batch, replacement=True, generator=generator)
        ids, mask = self._tokens(views.tolist(), things.tolist(), random.Random(f"{self._plan.seed}/{index}"))
        clean = self._latents[views, things].float()  # (B, 8, 16, 16)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        # (B), mostly in the upper half: there the name decides what is to be seen
        sigma = torch.sigmoid(torch.randn(self.batch, generator=generator) + _LATER).to(clean)
        mixed = clean + sigma[:, None, None, None] * (noise - clean)
        half = self._plan.device.type != "cpu"  # many CPUs take longer in bf16 than in fp32
        with torch.autocast(self._plan.device.type, torch.bfloat16, enabled=half):
            flow = self.model(mixed, 1000 * sigma, ids, mask)
        loss = (flow - (noise - clean)).square().mean()
        self._optimizer.param_groups[0]["lr"] = _RATE * self._rate(index)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        kept = min(_MEAN_KEPT, (1 + index) / (10 + index))
        with torch.no_grad():
            torch._foreach_lerp_(self._mean, self._weights, 1 - kept)
        return loss.item()

    def _rate(self, index: int) -> float:
        """Constant for half of the steps, then half a cosine down to 3 %."""
        late = max(0.0, 2 * index / self.steps - 1)
        return min(1, (index + 1) / _WARM_UP) * (0.485 * (1 + math.cos(math.pi * late)) + 0.03)

    def _tokens(self, views: list[int], things: list[int], chance: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T) each, T being the length of the longest caption."""
        texts = [
            "" if chance.random() < _EMPTY_SHARE else caption(self._scenes[view][thing], self._names, chance)
            for view, thing in zip(views, things, strict=True)
        ]
        for text in texts:
            if text not in self._ids:
                self._ids[text] = self._tokenizer(text).input_ids
        rows = [torch.tensor(self._ids[text]) for text in texts]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        return ids.to(self._plan.device), mask.to(self._plan.device)

    def state(self) -> dict:
        return {"model": self.model.state_dict(), "mean": self._mean, "optimizer": self._optimizer.state_dict()}

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        for mean, kept in zip(self._mean, state["mean"], strict=True):
            mean.copy_(kept)
        self._optimizer.load_state_dict(state["optimizer"])

    def snapshot(self) -> None:
        """The mean weights in fp16: enough to make pictures, and to start from where the state is lost."""
        with self.averaged() as model:
            weights = {name: weight.half().cpu().contiguous() for name, weight in model.state_dict().items()}
        fresh = self._snapshot.with_suffix(".new")
        save_file(weights, fresh)
        fresh.replace(self._snapshot)

    @contextmanager
    def averaged(self) -> Iterator[Painter]:
        """The model with the running means of its weights."""
        with torch.no_grad():
            current = [weight.detach().clone() for weight in self._weights]
            torch._foreach_copy_(self._weights, self._mean)
            try:
                yield self.model
            finally:
                torch._foreach_copy_(self._weights, current)
