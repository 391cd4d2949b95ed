"""The training loop: saves its state every few minutes, stops at a deadline or a signal, and goes on from there."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

_REPORT_STEPS = 50


class Trainee(Protocol):
    """A model in training. Step i's batch depends on i and the seed alone, so no state of a generator is kept."""

    steps: int  # until it is trained
    batch: int  # pictures in a step

    def step(self, index: int) -> float:
        """Takes one step and returns the loss."""

    def state(self) -> dict: ...

    def restore(self, state: dict) -> None: ...

    def snapshot(self) -> None:
        """Writes what the model would be if training ended now."""


@dataclass
class Patience:
    """When to stop, and how often to write."""

    minutes: float
    save_seconds: float = 180
    snapshot_seconds: float = 600
    _start: float = field(default_factory=time.monotonic)
    _signalled: bool = False

    def listen(self) -> None:
        """SIGTERM and SIGINT end the run as the deadline does, with the state saved."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())

    def over(self) -> bool:
        return self._signalled or time.monotonic() - self._start > self.minutes * 60

    def _stop(self) -> None:
        self._signalled = True


def train(trainee: Trainee, path: Path, patience: Patience) -> bool:
    """Whether the trainee is trained now; if not, its state is in the file and a later call goes on."""
    index = 0
    if path.exists():
        kept = torch.load(path, map_location="cpu", weights_only=True)
        trainee.restore(kept["state"])
        index = kept["index"]
        print(f"{path.stem}: goes on at step {index} of {trainee.steps}", flush=True)
    report = Report(path.stem, trainee, index)
    save = Every(patience.save_seconds, lambda: replace(path, {"index": index, "state": trainee.state()}))
    snapshot = Every(patience.snapshot_seconds, trainee.snapshot)
    while index < trainee.steps and not patience.over():
        loss = trainee.step(index)
        index += 1
        report.add(index, loss)
        save.maybe()
        snapshot.maybe()
    save.now()
    trainee.snapshot()
    return index >= trainee.steps


def replace(path: Path, content: dict) -> None:
    """Writes the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


class Every:
    """Does something when so many seconds have passed since it was last done."""

    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        self._seconds = seconds
        self._action = action
        self._last = time.monotonic()

    def maybe(self) -> None:
        if time.monotonic() - self._last > self._seconds:
            self.now()

    def now(self) -> None:
        self._action()
        self._last = time.monotonic()


class Report:
    """A line every 50 steps: the mean loss and the speed since the last one."""

    def __init__(self, title: str, trainee: Trainee, index: int) -> None:
        self._title = title
        self._trainee = trainee
        self._losses: list[float] = []
        self._since = time.monotonic()

    def add(self, index: int, loss: float) -> None:
        self._losses.append(loss)
        if index % _REPORT_STEPS and index < self._trainee.steps:
            return
        now = time.monotonic()
        count = len(self._losses)
        print(
            f"{time.strftime('%H:%M:%S')} {self._title} step {index} of {self._trainee.steps}"
            f" loss {sum(self._losses) / count:.4f}"
            f" {count * self._trainee.batch / (now - self._since):.1f} pictures/s",
            flush=True,
        )
        self._losses.clear()
        self._since = now
