"""Draws a picture with diffusers phase by phase, and compares what that took with ours."""

import argparse
import json
import statistics
import threading
import time
from pathlib import Path

PROMPT = "a red fox in the snow"
LOADING = {"side": 64, "steps": 1, "tokens": 8}
TOKENS = {"pixart": 300, "sd3_medium": 256}
PHASES = ("loading", "text", "steps", "decoding")


class Meter:
    """What this process has used; memory is read every 50 ms."""

    def __init__(self):
        self._peak = 0
        self._begin = time.perf_counter(), time.process_time()
        self.phases = []
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            status = Path("/proc/self/status").read_text()
            anonymous = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
            self._peak = max(self._peak, 1024 * int(anonymous.split()[1]))
            time.sleep(0.05)

    def phase(self, name: str) -> None:
        """Ends a phase; the next one begins."""
        now = time.perf_counter(), time.process_time()
        seconds, cpu = (a - b for a, b in zip(now, self._begin, strict=True))
        self.phases.append({"name": name, "s": seconds, "cpu_s": cpu, "peak_anonymous_bytes": self._peak})
        self._begin, self._peak = now, 0


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("model", choices=sorted(TOKENS))
    drawing.add_argument("folder", type=Path)
    drawing.add_argument("results", type=Path)
    drawing.add_argument("--dtype", required=True)
    drawing.add_argument("--side", type=int, required=True)
    drawing.add_argument("--steps", type=int, required=True)
    comparing = commands.add_parser("table")
    comparing.add_argument("folder", type=Path)
    telling = commands.add_parser("round")
    telling.add_argument("folder", type=Path)
    telling.add_argument("dtype")
    telling.add_argument("number", type=int)
    args = parser.parse_args()
    if args.command == "draw":
        args.results.write_text(json.dumps({"dtype": args.dtype, "phases": draw(args)}))
    elif args.command == "round":
        print(told(args.folder, args.dtype, args.number))
    else:
        print(table(args.folder))


def draw(args: argparse.Namespace) -> list[dict]:
    import diffusers  # slow, and part of nothing
    import torch

    torch.set_grad_enabled(False)
    meter = Meter()
    pipeline = diffusers.DiffusionPipeline.from_pretrained(args.folder, torch_dtype=getattr(torch, args.dtype))
    pipeline.set_progress_bar_config(disable=True)
    phases = Phases(args.model, pipeline)
    decoded(phases, lambda name: None, **LOADING)
    meter.phase("loading")
    decoded(phases, meter.phase, args.side, args.steps, TOKENS[args.model])
    return meter.phases


def decoded(phases: "Phases", ended, side: int, steps: int, tokens: int):
    text = phases.text(tokens)
    ended("text")
    latents = phases.steps(text, side, steps)
    ended("steps")
    picture = phases.decoding(latents)
    ended("decoding")
    return picture


class Phases:
    """A pipeline's call in three parts."""

    def __init__(self, model: str, pipeline):
        self._pipeline = pipeline
        self._pixart = model == "pixart"

    def text(self, tokens: int) -> dict:
        if self._pixart:
            names = "prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask"
            all_texts = self._pipeline.encode_prompt(PROMPT, negative_prompt="", max_sequence_length=tokens)
        else:
            names = "prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"
            all_texts = self._pipeline.encode_prompt(PROMPT, None, None, negative_prompt="", max_sequence_length=tokens)
        return dict(zip(names, all_texts, strict=True))

    def steps(self, text: dict, side: int, steps: int):
        more = {"use_resolution_binning": False, "negative_prompt": None} if self._pixart else {}
        return self._pipeline(
            **text, height=side, width=side, num_inference_steps=steps, output_type="latent", **more
        ).images

    def decoding(self, latents):
        config = self._pipeline.vae.config
        shift = getattr(config, "shift_factor", None) or 0
        return self._pipeline.vae.decode(latents / config.scaling_factor + shift, return_dict=False)[0]


def table(folder: Path) -> str:
    lines = [
        "| type | phase | ours: seconds | CPU s | GB | diffusers: seconds | CPU s | GB | ÷ seconds | ÷ CPU s | ÷ GB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for dtype in dict.fromkeys(path.name.split(".")[0] for path in sorted(folder.iterdir(), reverse=True)):
        for i, name in enumerate((*PHASES, "all")):
            ours, theirs = (figures(folder, dtype, side, i) for side in ("ours", "theirs"))
            ratios = [ratio(*pair) for pair in zip(zip(*ours), zip(*theirs))]
            cells = [*middle(ours), *middle(theirs), *ratios]
            lines.append("| " + " | ".join([dtype, name, *cells]) + " |")
    return "\n".join([*lines, "", "GB: the most anonymous memory in the phase; mapped files are not in it."])


def told(folder: Path, dtype: str, number: int) -> str:
    """One round's CPU seconds and memory."""
    parts = []
    for i, name in enumerate((*PHASES, "all")):
        ours, theirs = (figures(folder, dtype, side, i, str(number))[0][1:] for side in ("ours", "theirs"))
        parts.append(f"{name} {ours[0]:.1f} of {theirs[0]:.1f} CPU s ({ours[0] / theirs[0]:.2f}), {ours[1]:.1f} of {theirs[1]:.1f} GB")
    return f"{dtype}, round {number}: " + "; ".join(parts)


def ratio(ours: tuple[float, ...], theirs: tuple[float, ...]) -> str:
    """The median over the rounds, and from the least to the most where there are several."""
    rounds = [a / b for a, b in zip(ours, theirs, strict=True)]
    spread = f" ({min(rounds):.2f}–{max(rounds):.2f})" if len(rounds) > 1 else ""
    return f"**{statistics.median(rounds):.2f}**{spread}"


def figures(folder: Path, dtype: str, side: str, phase: int, rounds_of: str = "*") -> list[tuple[float, float, float]]:
    """Seconds, CPU seconds and GB of a phase, or of all of them, round by round."""
    rounds = []
    for path in sorted(folder.glob(f"{dtype}.{side}.{rounds_of}.json")):
        phases = json.loads(path.read_text())["phases"]
        chosen = phases[phase : phase + 1] or phases
        columns = zip(*((p["s"], p["cpu_s"], p["peak_anonymous_bytes"] / 1e9) for p in chosen))
        seconds, cpu, memory = map(list, columns)
        rounds.append((sum(seconds), sum(cpu), max(memory)))
    return rounds


def middle(rounds: list[tuple[float, float, float]]) -> list[str]:
    return [f"{statistics.median(column):.1f}" for column in zip(*rounds)]


if __name__ == "__main__":
    main()
