"""The linear map from an autoencoder's latents to colours, fitted: `colors.py VAE PICTURE...` prints it as settings of its config.json."""

import json
import sys
from pathlib import Path

import numpy
import torch
from diffusers import AutoencoderKL
from PIL import Image


def main(folder: str, *pictures: str) -> None:
    model = AutoencoderKL.from_pretrained(folder).eval()
    scale = 2 ** (len(model.config.block_out_channels) - 1)
    rows, colors = [], []
    for picture in pictures:
        values = torch.from_numpy(numpy.array(Image.open(picture).convert("RGB")))  # (H, W, 3)
        pixels = values.permute(2, 0, 1).float()[None] / 127.5 - 1
        pixels = pixels[..., : pixels.shape[2] // scale * scale, : pixels.shape[3] // scale * scale]
        with torch.no_grad():
            latents = model.encode(pixels).latent_dist.mean
        latents = (latents - (model.config.shift_factor or 0)) * model.config.scaling_factor
        rows.append(latents[0].flatten(1).T)  # (h·w, c)
        colors.append(torch.nn.functional.avg_pool2d(pixels, scale)[0].flatten(1).T)  # (h·w, 3)
    x, y = torch.cat(rows).double(), torch.cat(colors).double()
    x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    found = torch.linalg.lstsq(x, y).solution
    explained = 1 - (y - x @ found).square().mean(0) / y.var(0, unbiased=False)
    print("explained of red, green and blue:", [round(value, 3) for value in explained.tolist()], file=sys.stderr)
    numbers = [[round(value, 4) for value in row] for row in found.tolist()]
    json.dump({"latent_rgb_factors": numbers[:-1], "latent_rgb_factors_bias": numbers[-1]}, sys.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 3 or not Path(sys.argv[1]).is_dir():
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
