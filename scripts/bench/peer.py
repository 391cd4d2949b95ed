"""A process that takes steps when told to, by lines on its standard input and output."""

import subprocess
from collections.abc import Sequence
from typing import NamedTuple


class Seconds(NamedTuple):
    """What a step took."""

    wall: float
    cpu: float
    """CPU time of the whole process, which other work on the machine hardly changes."""


class Peer:
    """One side of the comparison; waits for commands without computing."""

    def __init__(self, command: Sequence[str]):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self._expect("ready")
        except BaseException:
            self._process.kill()
            raise

    def step(self, variant: str) -> Seconds:
        """Takes one step. Raises RuntimeError with the other side's words if it cannot."""
        answer = self._ask(f"step {variant}")
        try:
            return Seconds(*map(float, answer.split()))
        except ValueError:
            raise RuntimeError(answer) from None

    def save(self, variant: str, path: str) -> None:
        """Takes a step and writes its prediction to a safetensors file."""
        self._send(f"save {variant} {path}")
        self._expect("saved")

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, command: str) -> str:
        self._send(command)
        return self._answer()

    def _send(self, command: str) -> None:
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args[0]} ended with status {self._process.wait()}")
        return line.strip()

    def _expect(self, word: str) -> None:
        answer = self._answer()
        if answer != word:
            raise RuntimeError(answer)


class Variant(NamedTuple):
    """One of the steps that a side knows."""

    peer: Peer
    name: str

    def step(self) -> Seconds:
        return self.peer.step(self.name)

    def save(self, path: str) -> None:
        self.peer.save(self.name, path)
