"""What the pictures are called: CLDR short names in order of popularity, with aliases that no other picture has."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import emoji

_POPULAR = Path(__file__).with_name("popular.txt")
_SELECTOR = "\ufe0f"  # asks for the coloured picture; CLDR names some code points with it only
# Signs are the least like pictures, so they come last.
_SIGNS = ("button", "sign", "symbol", "arrow", "o'clock", "-thirty", "square", "circle", "triangle", "no ", "japanese")


@dataclass(frozen=True)
class Name:
    code_point: int
    text: str
    aliases: tuple[str, ...]


def all_names() -> list[Name]:
    """All single code points that CLDR names: the well-known ones first, then the others, signs last."""
    texts = {point: _plain(data["en"]) for point, data in _named().items()}
    wanted = _popular()
    unknown = wanted.keys() - set(texts.values())
    if unknown:
        raise ValueError(f"{_POPULAR.name} lists names that CLDR does not have: {sorted(unknown)}")
    proposed = {
        point: dict.fromkeys([*wanted.get(texts[point], ()), *map(_plain, data.get("alias", ()))])
        for point, data in _named().items()
    }
    uses = Counter(alias for aliases in proposed.values() for alias in aliases)
    taken = set(texts.values())
    names = [
        Name(point, text, tuple(alias for alias in proposed[point] if _usable(alias, taken, uses)))
        for point, text in texts.items()
    ]
    rank = {text: place for place, text in enumerate(wanted)}
    return sorted(names, key=lambda name: (rank.get(name.text, len(rank)), _is_sign(name.text), name.code_point))


def _named() -> dict[int, dict]:
    return {
        ord(character.rstrip(_SELECTOR)): data
        for character, data in emoji.EMOJI_DATA.items()
        if len(character.rstrip(_SELECTOR)) == 1 and data["status"] != emoji.STATUS["component"]
    }


def _popular() -> dict[str, list[str]]:
    """Name -> further aliases, in the order of the file."""
    lines = _POPULAR.read_text(encoding="utf-8").splitlines()
    entries = " ".join(line for line in lines if not line.startswith("#")).split(";")
    parted = [entry.partition("=") for entry in entries if entry.strip()]
    return {
        _plain(name): [_plain(alias) for alias in aliases.split(",") if alias.strip()] for name, _, aliases in parted
    }


def _usable(alias: str, taken: set[str], uses: Counter[str]) -> bool:
    """Names win over aliases; what two pictures are called, or what is no word ("u6708", "b"), helps nobody."""
    return alias not in taken and uses[alias] == 1 and len(alias) > 2 and not any(letter.isdigit() for letter in alias)


def _is_sign(text: str) -> bool:
    return any(word in text for word in _SIGNS)


def _plain(text: str) -> str:
    return text.strip(" :").replace("_", " ").replace("’", "'").lower()
