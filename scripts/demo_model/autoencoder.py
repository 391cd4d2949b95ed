"""The autoencoder: pictures of 128 x 128 to latents of 8 x 16 x 16 and back."""

import math
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from data import Emoji
from muon import Muon
from scenes import COLOURS, SIDE, Scene, colour, graded, paint, shrink

CHANNELS = 8
_CROP = 64  # the first 60 % of the steps see a quarter of the picture: four times as fast
_CROPPED_SHARE = 0.6
_DIVERGENCE = 5e-4


def build() -> AutoencoderKL:
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 64, 128),
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=SIDE,
        scaling_factor=1.0,  # normalise() gives the latents mean 0 and variance 1
    )
    with torch.no_grad():  # little noise at first: exp(-4 / 2)
        model.quant_conv.weight[CHANNELS:] *= 0.1
        model.quant_conv.bias[CHANNELS:] = -4.0
    return model


class AutoencoderTraining:
    batch = 8

    def __init__(self, emoji: Emoji, steps: int, seed: int, device: torch.device) -> None:
        torch.manual_seed(seed)
        self.steps = steps
        self.model = build().to(device)
        self._emoji = emoji
        self._seed = seed
        self._device = device
        matrices = [p for p in self.model.parameters() if p.ndim == 4 and min(p.shape[:2]) >= 16]
        others = [p for p in self.model.parameters() if not any(p is matrix for matrix in matrices)]
        self._optimizers = {
            "muon": Muon(matrices, 0.01),
            "adam": torch.optim.AdamW(others, lr=1e-3, betas=(0.9, 0.95), weight_decay=1e-4),
        }
        self._rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in self._optimizers.items()}

    def step(self, index: int) -> float:
        done = index / self.steps
        rate = min(1, (index + 1) / 30) * (0.49 * (1 + math.cos(math.pi * done)) + 0.02)
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + index)
        picture = self._pictures(random.Random(f"{self._seed}/{index}"), generator, done < _CROPPED_SHARE)
        with torch.autocast(self._device.type, torch.bfloat16):
            latent = self.model.encode(picture).latent_dist
            noise = torch.randn(latent.mean.shape, generator=generator).to(self._device)
            output = self.model.decode(latent.mean + latent.std * noise).sample
        divergence = 0.5 * (latent.mean.float() ** 2 + latent.var.float() - 1 - latent.logvar.float()).mean()
        loss = difference(output.float(), picture) + _DIVERGENCE * divergence
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for name, optimizer in self._optimizers.items():
            optimizer.param_groups[0]["lr"] = self._rates[name] * rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def state(self) -> dict:
        optimizers = {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()}
        return {"model": self.model.state_dict(), "optimizers": optimizers}

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])

    def snapshot(self) -> None:
        """Nothing: an autoencoder in training is of no use to the transformer."""

    def _pictures(self, chance: random.Random, generator: torch.Generator, cropped: bool) -> torch.Tensor:
        """(batch, 3, SIDE or _CROP twice) in [-1, 1]: things of one size at one place on many backgrounds."""
        chosen = torch.randint(len(self._emoji.names), (self.batch,), generator=generator)
        width = chance.randint(112, 136) if chance.random() < 0.6 else chance.randint(56, 100)
        sprite = shrink(self._emoji.pictures[chosen], width)  # (batch, 4, height, width)
        canvas = torch.stack([self._background(chance, generator) for _ in range(self.batch)])
        _paste(canvas, sprite, chance)
        if cropped:
            top, left = chance.randint(8, 56), chance.randint(8, 56)
            canvas = canvas[..., top : top + _CROP, left : left + _CROP]
        if chance.random() < 0.5:
            canvas = canvas.flip(-1)
        return (canvas.clamp(0, 1) * 2 - 1).contiguous().to(self._device)

    def _background(self, chance: random.Random, generator: torch.Generator) -> torch.Tensor:
        kind = chance.random()
        if kind < 0.4:
            return graded(colour("white"), colour("white"))
        names = list(COLOURS)
        if kind < 0.7:
            plain = colour(chance.choice(names))
            return graded(plain, plain)
        if kind < 0.9:
            return graded(*(colour(name) for name in chance.sample(names, 2)))
        return graded(*torch.rand(2, 3, generator=generator))


def _paste(canvas: torch.Tensor, sprite: torch.Tensor, chance: random.Random) -> None:
    """Puts the sprites on the canvas, up to 6 pixels over its edge."""
    height, width = sprite.shape[-2:]
    top = chance.randint(-6, max(SIDE - height + 6, -5))
    left = chance.randint(-6, max(SIDE - width + 6, -5))
    rows = slice(max(top, 0), min(top + height, SIDE))
    columns = slice(max(left, 0), min(left + width, SIDE))
    seen = sprite[..., rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    canvas[..., rows, columns] = seen[:, :3] + (1 - seen[:, 3:]) * canvas[..., rows, columns]


def difference(output: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """L1 of the pixels, of their gradients (sharp edges) and of 4 x 4 means (right colours)."""
    error = output - picture
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + edges + F.avg_pool2d(error, 4).abs().mean()


@torch.no_grad()
def encode(model: AutoencoderKL, pictures: torch.Tensor) -> torch.Tensor:
    """(B, 3, SIDE, SIDE) to the means of their latents, (B, 8, 16, 16)."""
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        return model.encode(pictures.to(device)).latent_dist.mean.float()


@torch.no_grad()
def normalise(model: AutoencoderKL, emoji: Emoji, seed: int) -> None:
    """Folds the latents' mean and deviation per channel into the convolutions beside them."""
    chance = random.Random(seed)
    count = len(emoji.names)
    scenes = [Scene((chance.randrange(count),), *[chance.choice(["white", *COLOURS])] * 2) for _ in range(256)]
    parts = [torch.stack([paint(s, emoji.pictures) for s in scenes[i : i + 32]]) for i in range(0, len(scenes), 32)]
    latents = torch.cat([encode(model, part) for part in parts])
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))  # (8) each
    inward, outward = model.quant_conv, model.post_quant_conv
    inward.weight[:CHANNELS] /= deviation[:, None, None, None]
    inward.bias[:CHANNELS] = (inward.bias[:CHANNELS] - mean) / deviation
    inward.bias[CHANNELS:] -= 2 * deviation.log()  # the logarithm of the variance
    outward.bias += (outward.weight[:, :, 0, 0] * mean).sum(1)
    outward.weight *= deviation[None, :, None, None]


@torch.no_grad()
def fidelity(model: AutoencoderKL, emoji: Emoji) -> tuple[float, torch.Tensor]:
    """The mean PSNR in dB of 64 pictures on white, and the pictures: 32 originals, then what became of them."""
    chosen = range(0, len(emoji.names), max(1, len(emoji.names) // 64))
    pictures = torch.stack([paint(Scene((thing,)), emoji.pictures) for thing in chosen][:64])
    parts = [model.decode(encode(model, part)).sample.float().cpu() for part in pictures.split(16)]
    output = torch.cat(parts).clamp(-1, 1)
    errors = ((output - pictures) ** 2).mean((1, 2, 3))
    return (10 * torch.log10(4 / errors)).mean().item(), torch.cat([pictures[:32], output[:32]])


def load(folder: Path, device: torch.device) -> AutoencoderKL:
    return AutoencoderKL.from_pretrained(folder).eval().to(device)
