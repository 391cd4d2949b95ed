"""The finished model in diffusers' layout, fp16, with digests and its card."""

import hashlib
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, PixArtSigmaPipeline
from transformers import T5Tokenizer

from transformer import Painter

LARGEST = 30_000_000  # bytes of all files together
_CARD = Path(__file__).with_name("card.md")
_DIGESTS = "SHA256SUMS"


def write_model(folder: Path, painter: Painter, autoencoder: AutoencoderKL, tokenizer: T5Tokenizer) -> None:
    scheduler = DPMSolverMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=1.0, final_sigmas_type="zero"
    )
    pipeline = PixArtSigmaPipeline(
        tokenizer=tokenizer,
        text_encoder=painter.text_encoder,
        vae=autoencoder,
        transformer=painter.transformer,
        scheduler=scheduler,
    )
    for part in (painter, autoencoder):
        if not all(torch.isfinite(weight.half()).all() for weight in part.parameters()):
            raise ValueError(f"a weight of {type(part).__name__} is too large for fp16")
    shutil.rmtree(folder, ignore_errors=True)
    pipeline.to(dtype=torch.float16).save_pretrained(folder, safe_serialization=True)
    for config in folder.glob("*/config.json"):  # where it was loaded from is nobody's business
        settings = json.loads(config.read_text())
        settings.pop("_name_or_path", None)
        config.write_text(json.dumps(settings, indent=2) + "\n")
    # what a request leaves open, for xfuser: the size is none of PixArt's bins
    own = {"guidance_scale": 2.5, "use_resolution_binning": False}
    (folder / "xfuser.json").write_text(json.dumps(own, indent=2) + "\n")


def finish(folder: Path, facts: dict[str, str]) -> None:
    """Adds the card with its facts filled in, and the digests of everything; refuses what is too large."""
    (folder / "README.md").write_text(_CARD.read_text(encoding="utf-8").format_map(facts), encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _DIGESTS)
    size = sum(path.stat().st_size for path in files)
    if size > LARGEST:
        raise SystemExit(f"the model has {size} bytes, more than {LARGEST}: use fewer --blocks")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / _DIGESTS).write_text("".join(lines))
    print(f"{folder}: {size / 1e6:.1f} MB")
