"""Contact sheets."""

from pathlib import Path

import torch
from PIL import Image


def save_sheet(pictures: torch.Tensor, path: Path, columns: int = 10) -> None:
    """pictures: (N, 3, H, W) in [0, 1], laid out in rows on white."""
    count, _, height, width = pictures.shape
    rows = -(-count // columns)
    cells = torch.ones(rows * columns, 3, height, width)
    cells[:count] = pictures
    sheet = cells.reshape(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2)
    pixels = sheet.reshape(rows * height, columns * width, 3).clamp(0, 1).mul(255).round().byte()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.numpy()).save(path)
