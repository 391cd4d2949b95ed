"""How well the model draws what it was asked for: contact sheets for the eye, and a number."""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import PixArtSigmaPipeline

from data import Emoji
from scenes import COLOURS, Scene, article, paint
from sheets import save_sheet

_BATCH = 25
_BLUR = 4  # pixels a side that are averaged before pictures are compared


@dataclass(frozen=True)
class Recognition:
    asked: int
    own: int  # pictures whose nearest emoji is the one asked for
    mistaken: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.own} of {self.asked}"


class Evaluation:
    def __init__(self, model: Path, trained: Emoji, every: Emoji, device: torch.device) -> None:
        """trained: what the model has seen; every: what its pictures are compared with."""
        self._pipeline = PixArtSigmaPipeline.from_pretrained(model, torch_dtype=torch.float32).to(device)
        self._pipeline.set_progress_bar_config(disable=True)
        self._trained = trained
        self._every = every

    def generate(self, prompts: list[str]) -> torch.Tensor:
        """(N, 3, 128, 128) in [0, 1]; 20 steps, guidance 2.5, seed 0 for each batch."""
        parts = []
        for start in range(0, len(prompts), _BATCH):
            output = self._pipeline(
                prompts[start : start + _BATCH],
                num_inference_steps=20,
                guidance_scale=2.5,
                use_resolution_binning=False,
                clean_caption=False,
                max_sequence_length=32,
                generator=torch.Generator().manual_seed(0),
                output_type="pt",
            )
            parts.append(output.images.float().cpu())
        return torch.cat(parts)

    def recognition(self, count: int, seed: int) -> Recognition:
        """Draws names at random and looks for the nearest of all emoji on white, in blurred pixels."""
        things = self._chosen(count, seed)
        drawn = self.generate([article(self._trained.names[thing].text) for thing in things])
        known = torch.stack([paint(Scene((thing,)), self._every.pictures) for thing in range(len(self._every.names))])
        nearest = torch.cdist(_blurred(drawn), _blurred((known + 1) / 2)).argmin(1).tolist()
        wrong = [(thing, near) for thing, near in zip(things, nearest, strict=True) if thing != near]
        texts = [f"{self._every.names[thing].text} -> {self._every.names[near].text}" for thing, near in wrong]
        return Recognition(len(things), len(things) - len(wrong), tuple(texts))

    def sheets(self, folder: Path, seed: int) -> None:
        """Well-known names, names at random, two things, colours; the prompts stand in a file beside each sheet."""
        names = [name.text for name in self._trained.names]
        chance = random.Random(seed)
        known = names[:50]
        prompts = {
            "well-known": [article(name) for name in known],
            "random": [article(names[thing]) for thing in self._chosen(50, seed)],
            "two-things": [self._pair(chance.sample(known, 2), chance) for _ in range(20)],
            "colours": [
                f"{article(chance.choice(known))} on {article(ground)} background"
                for ground in [*COLOURS, "blue to pink", "yellow to green", "white to sky-blue", "purple to orange"]
            ],
        }
        for title, texts in prompts.items():
            save_sheet(self.generate(texts), folder / f"{title}.png")
            (folder / f"{title}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")

    def _pair(self, names: list[str], chance: random.Random) -> str:
        ground = chance.choice(list(COLOURS))
        return f"{article(names[0])} and {article(names[1])} on {article(ground)} background"

    def _chosen(self, count: int, seed: int) -> list[int]:
        total = len(self._trained.names)
        return sorted(random.Random(seed).sample(range(total), min(count, total)))


def _blurred(pictures: torch.Tensor) -> torch.Tensor:
    """(N, 3, 128, 128) to (N, 3 * 32 * 32)."""
    return F.avg_pool2d(pictures, _BLUR).flatten(1)
