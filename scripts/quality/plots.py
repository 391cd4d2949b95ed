"""Plots of what was measured of staleness and step caches."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

CACHED = {"fbcache": "o", "teacache": "s", "magcache": "^", "easycache": "D", "taylorseer": "v"}


def line_of(figures: list[dict]) -> list[tuple[int, float]]:
    """Steps and PSNR without a cache."""
    return sorted((f["steps"], f["psnr"]) for f in figures if f["cache"] == "none")


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
