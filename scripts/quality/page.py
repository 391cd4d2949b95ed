"""Writes the page about staleness and step caches, and its plots, from what was measured."""

import json
import sys
from pathlib import Path

import numpy

from plots import line_of, plot, plot_caches

TEMPLATE = Path(__file__).with_suffix(".template")

STAGES = (2, 4, 8)

VIDEOS = {"wan": "Wan 2.1", "cogvideox_5b": "CogVideoX 5b"}


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
        TEMPLATE.read_text().format(
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
            few_bits=(folder / "few_bits.md").read_text().strip(),
            few_bits_patches=(folder / "few_bits_patches.md").read_text().strip(),
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


if __name__ == "__main__":
    main()
