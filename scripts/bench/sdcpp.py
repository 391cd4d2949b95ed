"""Draws with stable-diffusion.cpp, and compares what a step and decoding took with ours."""

import argparse
import json
import math
import os
import statistics
import sys
from pathlib import Path

from picture import Meter

CLIP_LAYERS = 12


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("folder", type=Path)
    drawing.add_argument("results", type=Path)
    drawing.add_argument("--type", required=True)
    drawing.add_argument("--side", type=int, required=True)
    drawing.add_argument("--steps", type=int, required=True)
    drawing.add_argument("--no-decode", action="store_true", help="ends with the last step")
    drawing.add_argument("--fast", action="store_true", help="fused attention and direct convolutions")
    comparing = commands.add_parser("table")
    comparing.add_argument("folder", type=Path)
    comparing.add_argument("--steps", type=int, required=True)
    args = parser.parse_args()
    if args.command == "draw":
        draw(args)
    else:
        print(table(args.folder, args.steps))


def all_layers(short: Path, path: Path) -> Path:
    """CLIP-L with all its layers, each as the first of `short`, because stable-diffusion.cpp reads no fewer."""
    data = short.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {name: x for name, x in json.loads(data[8:begin]).items() if name != "__metadata__"}
    header, parts, end = {}, [], 0
    for name, x in tensors.items():
        part = data[begin + x["data_offsets"][0] : begin + x["data_offsets"][1]]
        for copy in copies(name):
            header[copy] = {**x, "data_offsets": [end, end + len(part)]}
            parts.append(part)
            end += len(part)
    text = json.dumps(header).encode()
    path.write_bytes(b"".join([len(text).to_bytes(8, "little"), text, *parts]))
    return path


def copies(name: str) -> list[str]:
    """What a tensor is called in a file of all layers; nothing if it is not of the first."""
    if ".layers." not in name:
        return [name]
    return [name.replace(".layers.0.", f".layers.{i}.") for i in range(CLIP_LAYERS)] if ".layers.0." in name else []


def draw(args: argparse.Namespace) -> None:
    """Writes what loading, the steps and what follows the last one, which is decoding, took, as ours does."""
    from stable_diffusion_cpp import StableDiffusion  # slow, and part of nothing

    meter = Meter()
    model = StableDiffusion(
        clip_l_path=str(all_layers(args.folder / "clip_l.safetensors", args.folder / "clip_l_12.safetensors")),
        diffusion_model_path=str(args.folder / "flux1-schnell-fp8.safetensors"),
        vae_path=str(args.folder / "ae.safetensors"),
        wtype=args.type.lower(),
        n_threads=os.cpu_count(),
        verbose=False,
        diffusion_flash_attn=args.fast,
        vae_conv_direct=args.fast,
    )

    def told(step: int, steps: int, _: float) -> None:
        """It tells of a step when it has been taken, and of step 0 when the first one begins; loading has other totals."""
        if steps != args.steps or step not in (0, steps):
            return
        if step and not meter.phases:
            end("stable-diffusion.cpp did not tell when the first step began, so loading cannot be told from steps")
        meter.phase("steps" if step else "loading")
        if step and args.no_decode:
            write()
            os._exit(0)  # it cannot be stopped otherwise

    def end(sentence: str) -> None:
        """An error would not leave a function that C calls."""
        print(f"sdcpp: {sentence}", file=sys.stderr, flush=True)
        os._exit(1)

    def write() -> None:
        args.results.write_text(json.dumps({"phases": meter.phases}))

    model.generate_image(
        prompt="a red fox in the snow",
        width=args.side,
        height=args.side,
        sample_steps=args.steps,
        cfg_scale=1.0,
        sample_method="euler",
        progress_callback=told,
    )
    meter.phase("decoding")
    write()


def table(folder: Path, steps: int) -> str:
    """Medians over rounds; ratios of CPU times to ours in float32, or what is there of ours first."""
    rounds: dict[tuple[str, str], list] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime):
        side, kind, _ = path.name.split(".", 2)
        rounds.setdefault((side, kind), []).append(figures(json.loads(path.read_text())["phases"], steps))
    medians = {key: [statistics.median(column) for column in zip(*runs)] for key, runs in rounds.items()}
    mine = next((row for (side, _), row in medians.items() if side == "ours"), None)
    lines = [
        "| | weights | step: seconds | CPU s | ÷ ours | decoding: seconds | CPU s | ÷ ours | GB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (side, kind), row in medians.items():
        ratios = [shown(row[i] / mine[i], 2) if mine else "" for i in (1, 3)]
        cells = [shown(x, 1) for x in row]
        name = "ours" if side == "ours" else "stable-diffusion.cpp"
        lines.append("| " + " | ".join([name, kind, *cells[:2], ratios[0], *cells[2:4], ratios[1], cells[4]]) + " |")
    return "\n".join([*lines, "", "GB: the most anonymous memory in steps and decoding; mapped files are not in it."])


def figures(phases: list[dict], steps: int) -> list[float]:
    """Seconds and CPU seconds of a step and of decoding, and GB."""
    taken = {phase["name"]: phase for phase in phases}
    step, decoding = taken["steps"], taken.get("decoding")
    times = [step["s"] / steps, step["cpu_s"] / steps]
    times += [decoding["s"], decoding["cpu_s"]] if decoding else [math.nan, math.nan]
    return [*times, max(phase["peak_anonymous_bytes"] for phase in (step, decoding or step)) / 1e9]


def shown(x: float, digits: int) -> str:
    return "" if math.isnan(x) else f"{x:.{digits}f}"


if __name__ == "__main__":
    main()
