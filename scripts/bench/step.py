"""Measures one denoising step: ours against diffusers, alternating, with the same threads.

Two processes wait for commands and only one computes at a time. A round takes one step of every variant;
the order is reversed in every other round. Ratios are taken within rounds and their median is reported,
so that a machine that is slow for a while does not favour anyone.
"""

import argparse
import os
import shlex
import sys
import tempfile
from pathlib import Path

from peer import Peer, Seconds
from step_report import Row, commit, machine, table

ROOT = Path(__file__).resolve().parents[2]
SERVER = "io.xfuser.examples.bench.StepServer"
TEXT_SERVER = "io.xfuser.examples.bench.TextServer"
WARM_UP = 2


def main() -> None:
    args = parse()
    require_any_text(args)
    measured_commit = commit(ROOT)  # now: later, someone may have changed files
    rows = []
    for dtype in args.dtypes.split(","):
        with tempfile.TemporaryDirectory(prefix="xfuser-bench-") as folder:
            rows += measure(args, dtype, Path(folder))
        print(table(rows), flush=True)
    if args.markdown:
        args.markdown.write_text(document(args, measured_commit, rows))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench/step", description=__doc__.split("\n\n")[0])
    parser.add_argument("model", help="one of MODELS in step_models.py: flux for example")
    parser.add_argument("--dtypes", default="float32,bfloat16", help="float32, bfloat16, float16, with commas between")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu", help="cpu or cuda, one GPU")
    parser.add_argument("--side", type=int, help="latents along each side of a picture; 128 are 1024 pixels")
    parser.add_argument("--text_tokens", type=int, help="so many tokens of text at most, for models that take any number")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile, which takes a while")
    parser.add_argument("--bound", action="store_true", help="also products and attention alone, by the fastest kernels")
    parser.add_argument("--markdown", type=Path, help="write the table with machine, commit and command to this file")
    return parser.parse_args()


def require_any_text(args: argparse.Namespace) -> None:
    if args.text_tokens is None:
        return
    from step_models import MODELS  # slow to import, and not needed for --help

    if args.text_tokens < 1:
        sys.exit(f"--text_tokens is {args.text_tokens}, but there must be one at least")
    if args.model in MODELS and not MODELS[args.model].any_text:
        sys.exit(f"{args.model} takes no --text_tokens: its text has one length, or there is none")


def measure(args: argparse.Namespace, dtype: str, folder: Path) -> list[Row]:
    theirs = Peer(
        [sys.executable, str(Path(__file__).parent / "diffusers_server.py"), args.model, "--folder", str(folder)]
        + ["--dtype", dtype, "--threads", str(args.threads), "--device", args.device]
        + (["--side", str(args.side)] if args.side else [])
        + (["--text_tokens", str(args.text_tokens)] if args.text_tokens else [])
    )
    ours = Peer(java(args, dtype, folder))
    try:
        peers = {"eager": theirs, "compiled": theirs, "serial": ours, "ulysses2": ours}
        return compare(args, dtype, {**peers, "bound": theirs} if args.bound else peers, folder)
    finally:
        ours.close()
        theirs.close()


def java(args: argparse.Namespace, dtype: str, folder: Path) -> list[str]:
    from step_models import MODELS, TextEncoderModel  # slow to import, and not needed for --help

    command = [os.environ["XFUSER_BENCH_JAVA"], *shlex.split(os.environ.get("JAVA_OPTS", ""))]
    command += ["-cp", os.environ["XFUSER_BENCH_CLASSPATH"]]
    common = ["--directory", str(folder), "--dtype", dtype, "--threads", str(args.threads)]
    model = MODELS[args.model]
    if isinstance(model, TextEncoderModel):
        prompt = ["--prompt", str(folder / "prompt.txt"), "--tokens", str(model.tokens)]
        return [*command, TEXT_SERVER, *common, *prompt]
    command += [SERVER, *common, "--input", str(folder / "inputs.safetensors")]
    return [*command, "--timestep", str(model.timestep), "--device", args.device]


def compare(args: argparse.Namespace, dtype: str, peers: dict[str, Peer], folder: Path) -> list[Row]:
    if args.no_compile:
        peers.pop("compiled")
    if args.threads % 2 or args.device != "cpu":
        peers.pop("ulysses2")  # ranks that share a GPU do not share its work
    for variant, peer in list(peers.items()):
        print(f"{dtype}: warming up {variant}", file=sys.stderr)
        try:
            for _ in range(WARM_UP):
                peer.step(variant)
        except RuntimeError as e:
            if variant == "ulysses2" and "unknown" in str(e):  # a text encoder's layouts are its own
                peers.pop(variant)
                continue
            if variant == "eager":
                sys.exit(f"diffusers' own step fails, with which the others are compared: {e}")
            print(f"{variant} is left out: {e}", file=sys.stderr)
            peers.pop(variant)
    difference = differences(peers, folder)
    seconds = {variant: [] for variant in peers}
    order = list(peers)
    for i in range(args.rounds):
        for variant in order:
            seconds[variant].append(peers[variant].step(variant))
        order.reverse()
        print(f"{dtype}: round {i + 1} of {args.rounds}", file=sys.stderr)
    return rows(dtype, seconds, difference)


def rows(dtype: str, seconds: dict[str, list[Seconds]], difference: dict[str, float]) -> list[Row]:
    pairs = [
        ("serial", "ours", "eager", "diffusers eager"),
        ("compiled", "diffusers, torch.compile", "eager", "diffusers eager"),
        ("ulysses2", "ours, 2 Ulysses ranks", "serial", "ours, 1 rank"),
        ("serial", "ours", "compiled", "diffusers, torch.compile"),
        ("bound", "products and attention alone", "eager", "diffusers eager"),
        ("bound", "products and attention alone", "compiled", "diffusers, torch.compile"),
        ("bound", "products and attention alone", "serial", "ours, 1 rank"),
    ]
    return [
        Row(dtype, title, seconds[variant], other, seconds[baseline], difference.get(variant))
        for variant, title, baseline, other in pairs
        if variant in seconds and baseline in seconds
    ]


def differences(peers: dict[str, Peer], folder: Path) -> dict[str, float]:
    """The mean absolute difference of each variant's prediction from diffusers eager's."""
    from safetensors.torch import load_file

    predictions = {}
    for variant, peer in peers.items():
        if variant == "bound":
            continue
        path = folder / f"{variant}.safetensors"
        peer.save(variant, str(path))
        predictions[variant] = load_file(path)["prediction"].float()
    exact = predictions.pop("eager")
    for variant, prediction in predictions.items():
        mean = (prediction - exact).abs().mean().item()
        if mean > 0.02 * exact.abs().mean().item():
            sys.exit(f"{variant} predicts something else than eager: {mean} apart, {exact.abs().mean().item()} large")
    return {variant: (prediction - exact).abs().mean().item() for variant, prediction in predictions.items()}


def document(args: argparse.Namespace, measured_commit: str, measured: list[Row]) -> str:
    from step_models import MODELS

    command = f"scripts/bench/step {args.model} --dtypes {args.dtypes} --rounds {args.rounds} --threads {args.threads}"
    command += " --no-compile" if args.no_compile else ""
    command += " --bound" if args.bound else ""
    command += f" --device {args.device}" if args.device != "cpu" else ""
    command += f" --side {args.side}" if args.side else ""
    command += f" --text_tokens {args.text_tokens}" if args.text_tokens else ""
    latents = f"; here with {args.side} by {args.side} latents" if args.side else ""
    latents += f"; with at most {args.text_tokens} tokens of text" if args.text_tokens else ""
    return (
        f"{MODELS[args.model].title}{latents}. {args.rounds} rounds.\n\n"
        f"- machine: {machine(args.threads)}\n- commit: {measured_commit}\n- command: `{command}`\n\n"
        + table(measured)
        + "\n"
    )


if __name__ == "__main__":
    main()
