"""The latents of all views of all things, made once: training then never runs the autoencoder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from autoencoder import encode
from data import Emoji
from loop import Patience, replace
from scenes import VIEWS, Scene, draw_scene, paint

_BATCH = 32


@dataclass(frozen=True)
class Views:
    scenes: list[list[Scene]]  # by view, then by thing
    latents: torch.Tensor  # (VIEWS, N, 8, 16, 16) bf16


def load_or_make(folder: Path, model: AutoencoderKL, emoji: Emoji, seed: int, patience: Patience) -> Views | None:
    """None where time is over; what is made by then is kept, one file per view."""
    count = len(emoji.names)
    scenes = [[draw_scene(thing, view, count, seed) for thing in range(count)] for view in range(VIEWS)]
    parts = []
    for view, of_view in enumerate(scenes):
        key = hashlib.sha256(f"{of_view}{digest(model)}".encode()).hexdigest()[:12]
        path = folder / f"{view:02}-{key}.pt"
        if not path.exists():
            if patience.over():
                return None
            print(f"latents: view {view} of {VIEWS}", flush=True)
            replace(path, {"latents": _encode(model, of_view, emoji)})
        parts.append(torch.load(path, weights_only=True)["latents"])
    return Views(scenes, torch.stack(parts))


def _encode(model: AutoencoderKL, scenes: list[Scene], emoji: Emoji) -> torch.Tensor:
    batches = (scenes[start : start + _BATCH] for start in range(0, len(scenes), _BATCH))
    pictures = (torch.stack([paint(scene, emoji.pictures) for scene in batch]) for batch in batches)
    return torch.cat([encode(model, batch).bfloat16().cpu() for batch in pictures])


def digest(model: torch.nn.Module) -> str:
    """Which weights these are."""
    total = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        total.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return total.hexdigest()
