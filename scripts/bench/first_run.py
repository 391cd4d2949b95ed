"""Wall time and peak memory of the first command, and of diffusers making the same picture."""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

PROMPT = "a fox"
GUIDANCE = 2.5
DIFFUSERS = """
import sys, torch
from diffusers import PixArtSigmaPipeline
pipeline = PixArtSigmaPipeline.from_pretrained(sys.argv[1], torch_dtype=torch.float32)
pipeline.set_progress_bar_config(disable=True)
picture = pipeline(
    sys.argv[3], guidance_scale=float(sys.argv[4]), use_resolution_binning=False,
    generator=torch.Generator("cpu").manual_seed(42),
).images[0]
picture.save(sys.argv[2])
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench/first_run", description=__doc__)
    parser.add_argument("root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    model = args.root / "xfuser-examples/demo-model"
    xdit = [str(args.root / "scripts/xdit"), "--prompt", PROMPT]
    pipefusion = ["--pipefusion_parallel_degree", "2"]
    with tempfile.TemporaryDirectory() as folder:
        theirs = Path(folder) / "diffusers.png"
        commands = {
            "the first command": [*xdit, *pipefusion, "--output_directory", f"{folder}/first"],
            "one rank": [*xdit, "--output_directory", f"{folder}/one"],
            "diffusers": [sys.executable, "-c", DIFFUSERS, str(model), str(theirs), PROMPT, str(GUIDANCE)],
        }
        taken = {name: [] for name in commands}
        for _ in range(args.rounds):
            for name, command in commands.items():
                taken[name].append(run(command))
        print("| | seconds | peak memory, MB | seconds ÷ diffusers' | memory ÷ diffusers' |\n|---|---|---|---|---|")
        reference = [statistics.median(column) for column in zip(*taken["diffusers"], strict=True)]
        for name, figures in taken.items():
            seconds, megabytes = (statistics.median(column) for column in zip(*figures, strict=True))
            ratios = f"{seconds / reference[0]:.2f} | {megabytes / reference[1]:.2f}"
            print(f"| {name} | {seconds:.2f} | {megabytes:.0f} | {ratios} |")
        ours = next(Path(folder, "one").glob("*.png"))
        difference = np.abs(pixels(ours) - pixels(theirs)).max()
        print(f"\nLargest difference of one rank's picture from diffusers', 0 to 1: {difference:.4f}")


def run(command: list[str]) -> tuple[float, float]:
    """Seconds from start to end, and the most memory at a time in MB, of a process with its children."""
    start = time.monotonic()
    with open(os.devnull, "wb") as nowhere:
        pid = os.posix_spawnp(
            command[0],
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1), (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2)],
        )
        _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed: {' '.join(command)}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255


if __name__ == "__main__":
    main()
