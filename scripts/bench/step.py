"""Measures one denoising step: ours against diffusers, alternating, with the same threads.

Two processes wait for commands and only one computes at a time. A round takes one step of every variant;
the order is reversed in every other round. Ratios are taken within rounds and their median is reported,
so that a machine that is slow for a while does not favour anyone.
"""

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from peer import Peer, Seconds, Variant
from step_report import Row, commit, machine, table

ROOT = Path(__file__).resolve().parents[2]
SERVER = "io.xfuser.examples.bench.StepServer"
TEXT_SERVER = "io.xfuser.examples.bench.TextServer"
WARM_UP = 2
DTYPES = ("float32", "bfloat16", "float16")
CLASS_PATH = """
. scripts/lib.sh && find_java && build "$PWD" >&2
echo "$BUILT/xfuser-examples/target/classes:$(cat "$BUILT/xfuser-examples/target/classpath.txt")"
"""


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was begun is tidied up
    args = parse()
    require_known(args)
    args.classes = class_path(args.against) if args.against else ""
    measured_commit = commit(ROOT)  # now: later, someone may have changed files
    rows = []
    for dtype in args.dtypes.split(","):
        with tempfile.TemporaryDirectory(prefix="xfuser-bench-") as folder:
            try:
                rows += measure(args, dtype, Path(folder))
            except RuntimeError as e:
                sys.exit(f"a side of the comparison fails: {e}")
        print(table(rows), flush=True)
    if args.markdown:
        args.markdown.write_text(document(args, measured_commit, rows))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench/step", description=__doc__.split("\n\n")[0])
    parser.add_argument("model", help="one of MODELS in step_models.py: flux for example")
    parser.add_argument("--dtypes", type=dtypes, default="float32,bfloat16", help=f"{', '.join(DTYPES)}, with commas between")
    parser.add_argument("--rounds", type=positive, default=15)
    parser.add_argument("--threads", type=positive, default=os.cpu_count())
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cpu or cuda, one GPU")
    parser.add_argument("--side", type=positive, help="latents along each side of a picture; 128 are 1024 pixels")
    parser.add_argument("--text_tokens", type=positive, help="so many tokens of text at most, for models that take any number")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile, which takes a while")
    parser.add_argument("--bound", action="store_true", help="also products and attention alone, by the fastest kernels")
    parser.add_argument("--against", type=checkout, metavar="CHECKOUT", help="another commit's folder: its step, too")
    parser.add_argument("--markdown", type=writable, help="write the table with machine, commit and command to this file")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def dtypes(text: str) -> str:
    for name in text.split(","):
        if name not in DTYPES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(DTYPES)}")
    return text


def checkout(text: str) -> Path:
    folder = Path(text).resolve()
    if not (folder / "scripts/bench/step").exists():
        raise argparse.ArgumentTypeError(f"{text} is no checkout of xfuser: it has no scripts/bench/step")
    return folder


def writable(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no file in a folder that exists")
    return path


def require_known(args: argparse.Namespace) -> None:
    from step_models import MODELS  # slow to import, and not needed for --help

    if args.model not in MODELS:
        sys.exit(f"there is no model {args.model}; there are {', '.join(sorted(MODELS))}")
    if args.text_tokens and not MODELS[args.model].any_text:
        sys.exit(f"{args.model} takes no --text_tokens: its text has one length, or there is none")


def measure(args: argparse.Namespace, dtype: str, folder: Path) -> list[Row]:
    theirs = Peer(
        [sys.executable, str(Path(__file__).parent / "diffusers_server.py"), args.model, "--folder", str(folder)]
        + ["--dtype", dtype, "--threads", str(args.threads), "--device", args.device]
        + (["--side", str(args.side)] if args.side else [])
        + (["--text_tokens", str(args.text_tokens)] if args.text_tokens else [])
    )
    with contextlib.closing(theirs), contextlib.ExitStack() as others:
        ours = others.enter_context(contextlib.closing(Peer(java(args, dtype, folder))))
        variants = {name: Variant(theirs, name) for name in ("eager", "compiled")}
        variants |= {name: Variant(ours, name) for name in ("serial", "ulysses2")}
        if args.against:
            against = Peer(java(args, dtype, folder, args.classes))
            variants["against"] = Variant(others.enter_context(contextlib.closing(against)), "serial")
        if args.bound:
            variants["bound"] = Variant(theirs, "bound")
        return compare(args, dtype, variants, folder)


def class_path(folder: Path) -> str:
    """Of a checkout, which is built if that is needed."""
    built = subprocess.run(["bash", "-c", CLASS_PATH, "step"], cwd=folder, stdout=subprocess.PIPE, text=True)
    if built.returncode:
        sys.exit(f"{folder} could not be built")
    return built.stdout.strip()


def java(args: argparse.Namespace, dtype: str, folder: Path, classes: str = "") -> list[str]:
    from step_models import MODELS, TextEncoderModel  # slow to import, and not needed for --help

    command = [os.environ["XFUSER_BENCH_JAVA"], *shlex.split(os.environ.get("JAVA_OPTS", ""))]
    command += ["-cp", classes or os.environ["XFUSER_BENCH_CLASSPATH"]]
    common = ["--directory", str(folder), "--dtype", dtype, "--threads", str(args.threads)]
    model = MODELS[args.model]
    if isinstance(model, TextEncoderModel):
        prompt = ["--prompt", str(folder / "prompt.txt"), "--tokens", str(model.tokens)]
        return [*command, TEXT_SERVER, *common, *prompt]
    command += [SERVER, *common, "--input", str(folder / "inputs.safetensors")]
    return [*command, "--timestep", str(model.timestep), "--device", args.device]


def compare(args: argparse.Namespace, dtype: str, variants: dict[str, Variant], folder: Path) -> list[Row]:
    if args.no_compile:
        variants.pop("compiled")
    if args.threads % 2 or args.device != "cpu":
        variants.pop("ulysses2")  # ranks that share a GPU do not share its work
    for variant, taken in list(variants.items()):
        print(f"{dtype}: warming up {variant}", file=sys.stderr)
        try:
            for _ in range(WARM_UP):
                taken.step()
        except RuntimeError as e:
            if variant == "ulysses2" and "unknown" in str(e):  # a text encoder's layouts are its own
                variants.pop(variant)
                continue
            if variant == "eager":
                sys.exit(f"diffusers' own step fails, with which the others are compared: {e}")
            print(f"{variant} is left out: {e}", file=sys.stderr)
            variants.pop(variant)
    difference = differences(variants, folder)
    seconds = {variant: [] for variant in variants}
    order = list(variants)
    for i in range(args.rounds):
        for variant in order:
            seconds[variant].append(variants[variant].step())
        order.reverse()
        print(f"{dtype}: round {i + 1} of {args.rounds}", file=sys.stderr)
    return rows(args, dtype, seconds, difference)


def rows(args: argparse.Namespace, dtype: str, seconds: dict[str, list[Seconds]], difference: dict[str, float]) -> list[Row]:
    pairs = [
        ("serial", "ours", "eager", "diffusers eager"),
        ("serial", "ours", "against", f"ours at {commit(args.against)}" if args.against else ""),
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


def differences(variants: dict[str, Variant], folder: Path) -> dict[str, float]:
    """The mean absolute difference of each variant's prediction from diffusers eager's."""
    from safetensors.torch import load_file

    predictions = {}
    for variant, taken in variants.items():
        if variant == "bound":
            continue
        path = folder / f"{variant}.safetensors"
        taken.save(str(path))
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
    command += " --against CHECKOUT" if args.against else ""
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
