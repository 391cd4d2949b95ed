"""The table of a step measurement, and what machine it was taken on."""

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from peer import Seconds

_FEATURES = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16")


@dataclass(frozen=True)
class Row:
    """One variant: its seconds, and those of the variant it is compared with in the same rounds."""

    dtype: str
    variant: str
    seconds: list[Seconds]
    baseline: str
    baseline_seconds: list[Seconds]
    difference: float | None = None

    def cells(self) -> list[str]:
        wall = _ratios([s.wall for s in self.seconds], [s.wall for s in self.baseline_seconds])
        cpu = _ratios([s.cpu for s in self.seconds], [s.cpu for s in self.baseline_seconds])
        return [
            self.dtype,
            self.variant,
            f"{statistics.median(s.wall for s in self.seconds):.3f}",
            self.baseline,
            _with_quartiles(wall),
            _with_quartiles(cpu),
            "" if self.difference is None else f"{self.difference:.1e}",
        ]


def _ratios(seconds: list[float], baseline: list[float]) -> list[float]:
    """Round by round: what slows a whole round cancels."""
    return [a / b for a, b in zip(seconds, baseline)]


def _with_quartiles(ratios: list[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return f"**{middle:.3f}** ({low:.3f}–{high:.3f})"


_HEADER = [
    "type",
    "step",
    "median seconds",
    "compared with",
    "ratio of times (quartiles)",
    "ratio of CPU times (quartiles)",
    "mean difference from eager",
]


def table(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(_HEADER) + " |", "|" + "---|" * len(_HEADER)]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines)


def machine(threads: int) -> str:
    name, flags = _processor()
    features = [feature for feature in _FEATURES if feature in flags]
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {name} ({', '.join(features) or platform.machine()}), {threads} threads, "
        f"{platform.system()}; load average {load:.1f} at the end"
    )


def commit(root: Path) -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        ).stdout.strip()

    changed = " with uncommitted changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed


def _processor() -> tuple[str, set[str]]:
    info = Path("/proc/cpuinfo")
    fields = {}
    if info.exists():
        for line in info.read_text().splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    return fields.get("model name", platform.processor() or "unknown"), set(fields.get("flags", "").split())
