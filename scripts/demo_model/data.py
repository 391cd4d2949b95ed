"""The data set: names with their pictures, in training order."""

from dataclasses import dataclass
from pathlib import Path

import torch

from font import read_glyphs
from names import Name, all_names


@dataclass(frozen=True)
class Emoji:
    names: list[Name]
    pictures: torch.Tensor  # (N, 4, 128, 136) uint8

    def first(self, count: int) -> "Emoji":
        if not 2 <= count <= len(self.names):
            raise SystemExit(f"--names {count} is not between 2 and {len(self.names)}, all that the font has")
        return Emoji(self.names[:count], self.pictures[:count])


def read_emoji(font: Path) -> Emoji:
    """Every picture that has a name, in the order of the names."""
    names = all_names()
    glyphs = {glyph.code_point: glyph.rgba for glyph in read_glyphs(font, {name.code_point for name in names})}
    drawn = [name for name in names if name.code_point in glyphs]
    return Emoji(drawn, torch.stack([glyphs[name.code_point] for name in drawn]))
