"""Writes the page about staleness and step caches, and its plots, from what was measured."""

import json
import sys
from pathlib import Path

import matplotlib
import numpy

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

STAGES = (2, 4, 8)

CACHED = {"fbcache": "o", "teacache": "s", "magcache": "^", "easycache": "D", "taylorseer": "v"}

VIDEOS = {"wan": "Wan 2.1", "cogvideox_5b": "CogVideoX 5b"}

PAGE = """# What staleness and step caches cost
Written by `scripts/quality/measure`, from the numbers in `docs/quality/`; [step caches](#step-caches) are further down. PipeFusion lets a patch attend keys and values of the other patches that are
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

## Videos
Patches of a video are ranges of its tokens frame by frame, so a patch may end within a frame. {videos} videos of {video_size} in {steps} steps, guidance {video_guidance}, by the tests' tiny pipelines of {video_models}: **their weights are random**,
so the tables tell how the figures go with W and M, and nothing of what a trained model loses; measure yours with `scripts/xdit compare`. Medians of PSNR, which is that of the mean error of all frames, and of the frame with the lowest; means of SSIM likewise.

{video_tables}

## Changes in few bits
What [`--compact_compress_type`](methods/usp.md#changes-in-few-bits) does to the pictures of a ring, by `scripts/quality/compact --pictures 10 --reference_steps 60`: PSNR in dB and SSIM against serial pictures, means over 10 prompts; and how much farther than serial ones the pictures are from those of 60 steps.
*sent* is what a message of a change has of the bytes of keys and values in fp32; scales weigh much beside the demo model's 64 tokens, and little beside thousands.

| S | ranks | type | sent | PSNR | SSIM | PSNR to S = 60 | serial | loss |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| 10 | 2 | binary | 0.048 | 43.9 | 0.998 | 39.42 | 41.55 | 2.14 |
| 10 | 2 | int2 | 0.079 | 52.1 | 0.999 | 41.20 | 41.55 | 0.36 |
| 10 | 2 | int4 | 0.142 | 61.7 | 1.000 | 41.54 | 41.55 | 0.01 |
| 10 | 4 | binary | 0.063 | 41.6 | 0.997 | 38.36 | 41.55 | 3.19 |
| 10 | 4 | int2 | 0.095 | 50.9 | 0.999 | 41.16 | 41.55 | 0.40 |
| 10 | 4 | int4 | 0.157 | 59.9 | 1.000 | 41.59 | 41.55 | -0.04 |
| 20 | 2 | binary | 0.048 | 47.4 | 0.999 | 46.40 | 51.40 | 5.00 |
| 20 | 2 | int2 | 0.079 | 55.1 | 1.000 | 50.45 | 51.40 | 0.96 |
| 20 | 2 | int4 | 0.142 | 65.3 | 1.000 | 51.43 | 51.40 | -0.03 |

With one bit it loses more than 1 dB by that measure, with two less, with four nothing that could be measured.

## Step caches
![PSNR over computed steps](quality/caches.svg)

[Step caches](methods/step_caches.md) take in some steps what an earlier one computed. Fewer steps, all of them computed, are what a cache has to be better than. So the tables
compare the pictures of {cached_steps} steps of which some were spared with those of {cached_steps} computed steps, and beside them stands what as many computed steps alone come to: *gain* is how much nearer
the cache is, in dB, with the line between the measured numbers of steps. The same seed and prompts; {cached_batch}; thresholds τ, and of `taylorseer` the steps n that it spares one after the other.
`teacache` and `magcache` go by what `scripts/quality/calibrate` measured of the first 20 of these prompts (`docs/quality/calibration.json`). A dash: more steps than were measured without a cache.

{cached}

The same of {some_pictures} of the prompts with PipeFusion, M = 4, W = 1, where each patch has a decision of its own, compared with the same serial pictures of {cached_steps} steps; without a cache PipeFusion is at {stale_psnr} dB. Fewer steps are those of
PipeFusion too.

{cached_patches}

{verdict}

Without a cache:

{fewer}
"""


def main() -> None:
    folder, page = Path(sys.argv[1]), Path(sys.argv[2])
    few = read(folder / "steps10.json")
    many = read(folder / "steps20.json")
    stages = read(folder / "stages.json")
    caches = read(folder / "caches.json")
    caches["figures"] += read(folder / "caches_patches.json")["figures"]
    figures = few["figures"]
    steps = figures[0]["steps"]
    plot(figures, folder / "steps10.svg")
    plot(many["figures"], folder / "steps20.svg")
    plot_caches(caches["figures"], folder / "caches.svg")
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
            **video_texts(folder),
            **cache_texts(caches),
        )
    )


def video_texts(folder: Path) -> dict[str, str | int]:
    """What the page says of videos."""
    measured = {title: read(folder / f"{name}.json") for name, title in VIDEOS.items()}
    one = next(iter(measured.values()))
    tables = []
    for title, numbers in measured.items():
        figures = numbers["figures"]
        tables.append(f"### {title}: PSNR in dB, of all frames and of the worst\n{by_patches(figures, video_psnr)}")
        tables.append(f"### {title}: SSIM, of all frames and of the worst\n{by_patches(figures, video_ssim)}")
    return {
        "videos": one["figures"][0]["pictures"],
        "video_size": f"{one['num_frames']} frames of {'×'.join(str(side) for side in one['size'])} pixels",
        "video_guidance": one["guidance_scale"],
        "video_models": " and ".join(measured),
        "video_tables": "\n\n".join(tables),
    }


def video_psnr(figures: dict) -> str:
    if figures["equal"] == figures["pictures"]:
        return "equal"
    return f"{figures['psnr']:.1f}, {figures['psnr_worst']:.1f}"


def video_ssim(figures: dict) -> str:
    return f"{figures['ssim']:.3f}, {figures['ssim_worst']:.3f}"


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


def cache_texts(measured: dict) -> dict[str, str]:
    """What the page says of step caches."""
    figures, batch = measured["figures"], measured["batch"]
    alone, patched = ([f for f in figures if f["patches"] == m] for m in (1, 4))
    steps = max(f["steps"] for f in figures)
    all_steps = {f["steps"] for f in figures if f["cache"] == "none"}
    return {
        "cached_steps": steps,
        "cached_batch": "each picture is a request of its own" if batch == 1 else f"{batch} pictures a request, which are spared together",
        "cached": cache_table(alone),
        "some_pictures": patched[0]["pictures"],
        "cached_patches": cache_table(patched),
        "stale_psnr": f"{next(f['psnr'] for f in patched if f['cache'] == 'none' and f['steps'] == steps):.1f}",
        "verdict": verdict(alone, patched),
        "fewer": rows(
            ["steps", "PSNR", "SSIM", "PSNR, M = 4", "SSIM, M = 4"],
            [[steps, *without_cache(alone, steps), *without_cache(patched, steps)] for steps in sorted(all_steps)],
        ),
    }


def without_cache(figures: list[dict], steps: int) -> list[str]:
    for f in figures:
        if f["cache"] == "none" and f["steps"] == steps:
            return [psnr(f), ssim(f)]
    return ["", ""]


def cache_table(figures: list[dict]) -> str:
    return rows(
        ["`--cache`", "τ or n", "steps computed", "PSNR", "SSIM", "PSNR of as many steps without", "gain, dB"],
        [
            [
                f"`{f['cache']}`",
                f"n = {f['value']:.0f}" if f["cache"] == "taylorseer" else f"{f['value']:g}",
                f"{f['computed']:.1f}",
                psnr(f),
                ssim(f),
                known(without(f, figures), "{:.1f}"),
                known(gain(f, figures), "{:+.1f}"),
            ]
            for f in figures
            if f["cache"] != "none"
        ],
    )


def line_of(figures: list[dict]) -> list[tuple[int, float]]:
    """Steps and PSNR without a cache."""
    return sorted((f["steps"], f["psnr"]) for f in figures if f["cache"] == "none")


def without(cached: dict, figures: list[dict]) -> float:
    """The PSNR of as many steps without a cache, on the line between those measured; NaN beyond it."""
    return float(numpy.interp(cached["computed"], *zip(*line_of(figures)), left=numpy.nan, right=numpy.nan))


def gain(cached: dict, figures: list[dict]) -> float:
    return cached["psnr"] - without(cached, figures)


def known(value: float, text: str) -> str:
    return "–" if numpy.isnan(value) else text.format(value)


def verdict(alone: list[dict], patched: list[dict]) -> str:
    """One sentence for each side of the line, so that no one need look for it in the tables."""
    sentences = []
    for title, figures in (("Alone", alone), ("With PipeFusion", patched)):
        worse = [named(f, gain(f, figures)) for f in figures if f["cache"] != "none" and gain(f, figures) < 0]
        if worse:
            sentences.append(f"**{title}, as many computed steps without a cache are nearer than** {', '.join(worse)}.")
        else:
            sentences.append(f"{title}, every method is nearer than as many computed steps without a cache.")
    return " ".join(sentences)


def named(figures: dict, gained: float) -> str:
    what = "n" if figures["cache"] == "taylorseer" else "τ"
    return f"`{figures['cache']}` with {what} = {figures['value']:g} ({gained:+.1f} dB)"


def rows(titles: list[str], lines: list[list]) -> str:
    table = [titles, ["---"] * len(titles), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in table)


def plot(figures: list[dict], path: Path) -> None:
    chart, axes = axes_of(f"{figures[0]['steps']} steps: median, and down to the lowest tenth")
    for patches in sorted({f["patches"] for f in figures}):
        line = [f for f in figures if f["patches"] == patches and f["equal"] < f["pictures"]]
        warmups = [f["warmup"] for f in line]
        axes.plot(warmups, [f["psnr"] for f in line], marker="o", label=f"M = {patches}")
        axes.fill_between(warmups, [f["psnr_low"] for f in line], [f["psnr"] for f in line], alpha=0.12)
    axes.set_xlabel("W, synchronous warm-up steps")
    save(chart, axes, path)


def plot_caches(figures: list[dict], path: Path) -> None:
    chart, axes = axes_of("Step caches and fewer steps: median")
    for patches, color in ((1, "C0"), (4, "C1")):
        own = [f for f in figures if f["patches"] == patches]
        title = "fewer steps" if patches == 1 else f"the same, PipeFusion with M = {patches}"
        axes.plot(*zip(*line_of(own)), color=color, label=title)
        for cache, marker in CACHED.items():
            points = [(f["computed"], f["psnr"]) for f in own if f["cache"] == cache]
            label = cache if patches == 1 else None
            axes.plot(*zip(*points), color=color, marker=marker, linestyle="", label=label)
    axes.set_xlabel("steps computed")
    save(chart, axes, path)


def axes_of(title: str):
    plt.rcParams["svg.hashsalt"] = "xfuser"
    plt.rcParams["font.family"] = "sans-serif"
    chart, axes = plt.subplots(figsize=(7, 3.6))
    axes.set_ylabel("PSNR against serial, dB")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    return chart, axes


def save(chart, axes, path: Path) -> None:
    axes.legend()
    chart.tight_layout()
    chart.savefig(path, metadata={"Date": None})
    plt.close(chart)


if __name__ == "__main__":
    main()
