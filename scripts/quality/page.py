"""Writes the page about staleness and its plots from what was measured."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

STAGES = (2, 4, 8)

PAGE = """# What staleness costs
Written by `scripts/quality/measure`, from the numbers in `docs/quality/`. PipeFusion lets a patch attend keys and values of the other patches that are
one step old, after W synchronous warm-up steps. This page says how far its pictures are from serial ones, over {pictures} prompts, and how
much faster the schedule is. **The model is small**: the demo model, 128×128 pixels, 64 image tokens, 8 blocks. A large model's patches have more
tokens each, and neighbouring steps that differ less; measure yours with `scripts/xdit compare`. 15 of the prompts ask for two
things, which the model draws badly ([demo_model.md](demo_model.md)).

PSNR and SSIM compare the pictures as [tracing.md](tracing.md#what-staleness-changes) says, with the same seed; medians of PSNR, means of SSIM, in brackets what a
tenth of the pictures is at or below. A PSNR under about 20 dB means another picture, which may be as good: guidance {guidance}, noise of its own for
each picture.

## {steps} steps
![PSNR over W](quality/steps10.svg)

### PSNR in dB
{psnr}

### SSIM
{ssim}

W = S is serial: every picture is equal, bit for bit.

### Speed-up of the schedule
S / (W + (M·(S − W) + N − 1) / (M·N)) for N stages that take equally long, M ≥ N, without communication:

{speed}

M alone hardly changes the speed-up; more patches than stages hide what the return to the first stage takes. So choose the smallest M ≥ N (or
2N where the network is slow), and then W for quality.

## {more_steps} steps, M = 4
![PSNR over W](quality/steps20.svg)

{more}

With more steps the samples of neighbouring steps differ less, so what is stale is nearer to what would be fresh.

## The number of stages changes nothing
M = 4, W = 1, {steps} steps: the picture depends on patches and warm-up, not on where the blocks are cut.

{stages}
"""


def main() -> None:
    folder, page = Path(sys.argv[1]), Path(sys.argv[2])
    few = read(folder / "steps10.json")
    many = read(folder / "steps20.json")
    stages = read(folder / "stages.json")
    figures = few["figures"]
    steps = figures[0]["steps"]
    plot(figures, folder / "steps10.svg")
    plot(many["figures"], folder / "steps20.svg")
    page.write_text(
        PAGE.format(
            pictures=figures[0]["pictures"],
            guidance=few["guidance_scale"],
            steps=steps,
            psnr=by_patches(figures, psnr),
            ssim=by_patches(figures, ssim),
            speed=speed_table(steps),
            more_steps=many["figures"][0]["steps"],
            more=rows(
                ["W", "PSNR", "SSIM", *(f"speed-up, N = {n}" for n in STAGES if n <= 4)],
                [
                    [f["warmup"], psnr(f), ssim(f), *(f"{speed_up(f['steps'], f['warmup'], 4, n):.2f}" for n in (2, 4))]
                    for f in many["figures"]
                ],
            ),
            stages=rows(["N", "PSNR", "SSIM"], [[f["stages"], psnr(f), ssim(f)] for f in stages["figures"]]),
        )
    )


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def psnr(figures: dict) -> str:
    if figures["equal"] == figures["pictures"]:
        return "equal"
    return f"{figures['psnr']:.1f} ({figures['psnr_low']:.1f})"


def ssim(figures: dict) -> str:
    return f"{figures['ssim']:.3f} ({figures['ssim_low']:.3f})"


def by_patches(figures: list[dict], cell) -> str:
    patches = sorted({f["patches"] for f in figures})
    cells = {(f["warmup"], f["patches"]): cell(f) for f in figures}
    return rows(
        ["W", *(f"M = {m}" for m in patches)],
        [[w, *(cells[w, m] for m in patches)] for w in sorted({f["warmup"] for f in figures})],
    )


def speed_table(steps: int) -> str:
    return rows(
        ["W", *(f"N = {n}, M = {m}" for n in STAGES for m in (n, 2 * n))],
        [[w, *(f"{speed_up(steps, w, m, n):.2f}" for n in STAGES for m in (n, 2 * n))] for w in range(steps + 1)],
    )


def speed_up(steps: int, warmup: int, patches: int, stages: int) -> float:
    """A warm-up step takes as long as on one rank; afterwards the pipeline is filled once."""
    stale = steps - warmup
    filled = (patches * stale + stages - 1) / (patches * stages) if stale else 0
    return steps / (warmup + filled)


def rows(titles: list[str], lines: list[list]) -> str:
    table = [titles, ["---"] * len(titles), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in table)


def plot(figures: list[dict], path: Path) -> None:
    plt.rcParams["svg.hashsalt"] = "xfuser"
    plt.rcParams["font.family"] = "sans-serif"
    chart, axes = plt.subplots(figsize=(7, 3.6))
    for patches in sorted({f["patches"] for f in figures}):
        line = [f for f in figures if f["patches"] == patches and f["equal"] < f["pictures"]]
        warmups = [f["warmup"] for f in line]
        axes.plot(warmups, [f["psnr"] for f in line], marker="o", label=f"M = {patches}")
        axes.fill_between(warmups, [f["psnr_low"] for f in line], [f["psnr"] for f in line], alpha=0.12)
    axes.set_xlabel("W, synchronous warm-up steps")
    axes.set_ylabel("PSNR against serial, dB")
    axes.set_title(f"{figures[0]['steps']} steps: median, and down to the lowest tenth", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend()
    chart.tight_layout()
    chart.savefig(path, metadata={"Date": None})
    plt.close(chart)


if __name__ == "__main__":
    main()
