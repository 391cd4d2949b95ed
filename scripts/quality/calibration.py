"""Fits what step caches know of a model to what was measured of it."""

import json
import sys
from pathlib import Path

import numpy

POWER = 4  # of TeaCache's polynomials
DIGITS = 6


def main() -> None:
    pictures = json.loads(Path(sys.argv[1]).read_text())
    calibration = {"magcache": rounded(numpy.mean([picture["ratio"] for picture in pictures], axis=0))}
    inputs = numpy.concatenate([picture["modulated"] for picture in pictures])
    outputs = numpy.concatenate([picture["predicted"] for picture in pictures])
    if len(inputs) == len(outputs):
        fit = numpy.polyfit(inputs, outputs, POWER)
        calibration["teacache"] = rounded(fit)
        error = numpy.abs(numpy.polyval(fit, inputs) - outputs).mean() / outputs.mean()
        print(f"teacache: {len(inputs)} changes between {inputs.min():.4f} and {inputs.max():.4f}, fitted to {error:.1%}")
    else:
        print("teacache: this model does not say what its first block modulates")
    ratios = calibration["magcache"]
    print(f"magcache: {len(ratios)} ratios between {min(ratios):.4f} and {max(ratios):.4f}")
    Path(sys.argv[2]).write_text(json.dumps(calibration, indent=1) + "\n")


def rounded(values) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


if __name__ == "__main__":
    main()
