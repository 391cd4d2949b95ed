"""The pictures of Noto Color Emoji: the font's PNG strikes, one for each code point."""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from fontTools.ttLib import TTFont
from PIL import Image

# Version 2.042 (Unicode 15.1), as Debian 12 has it in fonts-noto-color-emoji 2.042-0+deb12u1. Licence: SIL OFL 1.1.
SHA256 = "e5899ed38b8ed83e08bd3ac5de09791e9d19d288333a796de1d35ad17396f1ec"
HEIGHT, WIDTH = 128, 136
_INSTALLED = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")


@dataclass(frozen=True)
class Glyph:
    code_point: int
    rgba: torch.Tensor  # (4, HEIGHT, WIDTH) uint8, colours not multiplied by alpha


def find_font(given: Path | None) -> Path:
    """The font given, or the one that DEMO_MODEL_FONT names, or Debian's; checked against its digest."""
    path = given or Path(os.environ.get("DEMO_MODEL_FONT", _INSTALLED))
    if not path.is_file():
        raise SystemExit(f"{path} is not there; Debian's package fonts-noto-color-emoji has it (or give --font FILE)")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{path} has SHA-256 {digest}, but the model is made from version 2.042, {SHA256}")
    return path


def read_glyphs(path: Path, code_points: set[int]) -> list[Glyph]:
    """Those of the code points that the font draws, in their order."""
    font = TTFont(path)
    names = font.getBestCmap()
    strike = font["CBDT"].strikeData[0]
    drawn = sorted(point for point in code_points if names.get(point) in strike)
    return [Glyph(point, _picture(strike[names[point]].imageData)) for point in drawn]


def _picture(png: bytes) -> torch.Tensor:
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    if image.size != (WIDTH, HEIGHT):
        raise ValueError(f"a strike is {image.size}, not {(WIDTH, HEIGHT)}")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
