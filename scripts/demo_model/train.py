"""Trains the demo model from the emoji font, evaluates and packages it. Run it again to go on where it stopped."""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is to be downloaded; read before the libraries start

import torch  # noqa: E402
from diffusers import AutoencoderKL  # noqa: E402
from diffusers.utils import logging  # noqa: E402
from transformers import T5Tokenizer  # noqa: E402

import autoencoder  # noqa: E402
import latents  # noqa: E402
import tokenizer as tokenizers  # noqa: E402
from data import Emoji, read_emoji  # noqa: E402
from evaluate import Evaluation  # noqa: E402
from font import find_font  # noqa: E402
from loop import Patience, train  # noqa: E402
from package import finish, write_model  # noqa: E402
from sheets import save_sheet  # noqa: E402
from transformer import PainterTraining, Plan  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    args = parse()
    logging.disable_progress_bar()
    if args.threads:
        torch.set_num_threads(args.threads)
    Session(args).run()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo_model/train", description=__doc__)
    parser.add_argument("--names", type=int, default=700, help="how many names, well-known ones first (default: 700)")
    parser.add_argument("--views", type=int, default=500, help="pictures seen of each name (default: 500)")
    parser.add_argument("--autoencoder-steps", type=int, default=2000, help="of 8 pictures each (default: 2000)")
    parser.add_argument("--blocks", type=int, default=8, help="of the transformer; 10 fit 30 MB (default: 8)")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="stop then, with the state saved")
    parser.add_argument("--work", type=Path, default=ROOT / "results/demo-model", help="where states and results go")
    parser.add_argument("--font", type=Path, help="NotoColorEmoji.ttf, version 2.042 (default: as Debian installs it)")
    parser.add_argument("--device", type=torch.device, default=default_device(), help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="of the CPU (default: torch's)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preview", action="store_true", help="train no more: package and evaluate the last snapshot")
    return parser.parse_args()


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Ready:
    """What the transformer's training starts from."""

    tokenizer: T5Tokenizer
    autoencoder: AutoencoderKL
    views: latents.Views


class Session:
    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._work: Path = args.work
        self._every: Emoji = read_emoji(find_font(args.font))
        self._emoji = self._every.first(args.names)
        self._patience = Patience(args.minutes)

    def run(self) -> None:
        self._patience.listen()
        self._check_settings()
        ready = self._prepare()
        if ready is None:
            print("time is over; run the same command again to go on")
            return
        args = self._args
        plan = Plan(args.views, args.blocks, args.seed, args.device)
        snapshot = self._work / "transformer.safetensors"
        training = PainterTraining(plan, self._emoji.names, ready.tokenizer, ready.views, snapshot)
        if args.preview or train(training, self._work / "transformer.pt", self._patience):
            self._publish(training, ready)
        else:
            print("time is over; run the same command again to go on, or with --preview to see the model so far")

    def _check_settings(self) -> None:
        """What is in the folder was made with these; names and views may grow from run to run."""
        settings = {name: getattr(self._args, name) for name in ("autoencoder_steps", "blocks", "seed")}
        path = self._work / "settings.json"
        if path.exists() and (kept := json.loads(path.read_text())) != settings:
            raise SystemExit(f"{self._work} was begun with {kept}, not with {settings}: give another --work")
        self._work.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings) + "\n")

    def _prepare(self) -> Ready | None:
        args = self._args
        tokenizer = tokenizers.load_or_make(self._work / "tokenizer", self._every.names, args.seed)
        vae = self._autoencoder()
        if vae is None:
            return None
        folder = self._work / "latents"
        views = latents.load_or_make(folder, vae, self._emoji, args.seed, self._patience)
        return views and Ready(tokenizer, vae, views)

    def _autoencoder(self) -> AutoencoderKL | None:
        """Trained on all pictures of the font, whatever the names."""
        args = self._args
        folder = self._work / "autoencoder"
        if not folder.exists():
            training = autoencoder.AutoencoderTraining(self._every, args.autoencoder_steps, args.seed, args.device)
            if not train(training, self._work / "autoencoder.pt", self._patience):
                return None
            autoencoder.normalise(training.model, self._every, args.seed)
            training.model.save_pretrained(folder)
        return autoencoder.load(folder, args.device)

    def _publish(self, training: PainterTraining, ready: Ready) -> None:
        folder = self._work / "model"
        decibels, pictures = autoencoder.fidelity(ready.autoencoder, self._every)
        save_sheet((pictures + 1) / 2, self._work / "sheets/autoencoder.png", columns=16)
        with training.averaged() as painter:
            write_model(folder, painter, ready.autoencoder, ready.tokenizer)
        evaluation = Evaluation(folder, self._emoji, self._every, torch.device("cpu"))
        evaluation.sheets(self._work / "sheets", self._args.seed)
        recognition = evaluation.recognition(200, self._args.seed)
        print(f"autoencoder {decibels:.1f} dB; nearest to its own emoji: {recognition}")
        print("not so:", ", ".join(recognition.mistaken) or "none")
        facts = {
            "names": str(len(self._emoji.names)),
            "views": str(self._args.views),
            "blocks": str(self._args.blocks),
            "decibels": f"{decibels:.1f}",
            "recognition": str(recognition),
        }
        finish(folder, facts)


if __name__ == "__main__":
    main()
