"""The tokenizer: a SentencePiece unigram model of the captions' words."""

import io
import random
from pathlib import Path

import sentencepiece
from transformers import T5Tokenizer

from names import Name
from scenes import COLOURS, Scene, caption

_PIECES = 2048
_LONGEST = 300  # what PixArt-Sigma's pipeline pads to


def load_or_make(folder: Path, names: list[Name], seed: int) -> T5Tokenizer:
    """Made from the captions of all names, so that names can join the training later."""
    if not (folder / "spiece.model").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "spiece.model").write_bytes(_train(names, seed))
        tokenizer = T5Tokenizer(str(folder / "spiece.model"), extra_ids=0, legacy=False, model_max_length=_LONGEST)
        tokenizer.save_pretrained(folder)
    return T5Tokenizer.from_pretrained(folder, legacy=False)


def _train(names: list[Name], seed: int) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_sentences(names, random.Random(seed))),
        model_writer=model,
        vocab_size=_PIECES,
        hard_vocab_limit=False,
        model_type="unigram",
        character_coverage=1.0,
        normalization_rule_name="nmt_nfkc",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        pad_piece="<pad>",
        eos_piece="</s>",
        unk_piece="<unk>",
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def _sentences(names: list[Name], chance: random.Random) -> list[str]:
    colours = list(COLOURS)
    sentences = []
    for place, name in enumerate(names):
        sentences += [name.text, *name.aliases, caption(Scene((place,)), names, chance)]
        sentences.append(caption(Scene((place,), *[chance.choice(colours)] * 2), names, chance))
        pair = (place, chance.randrange(len(names)))
        sentences.append(caption(Scene(pair, *chance.sample(colours, 2)), names, chance))
    return sentences
