"""Scenes: one or two things on a background, as a picture and as a caption."""

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from font import HEIGHT, WIDTH
from names import Name

SIDE = 128
COLOURS = {
    "white": (255, 255, 255),
    "black": (25, 25, 30),
    "gray": (165, 165, 170),
    "red": (235, 87, 87),
    "orange": (255, 170, 80),
    "yellow": (255, 228, 120),
    "green": (120, 205, 130),
    "turquoise": (100, 210, 200),
    "sky-blue": (150, 210, 255),
    "blue": (85, 135, 235),
    "purple": (175, 130, 225),
    "pink": (255, 175, 205),
}
_ALONE = 122  # pixels that a thing alone is wide
_PAIRED = 74  # two things stand on the diagonal, the first at the upper left; their corners overlap


@dataclass(frozen=True)
class Scene:
    things: tuple[int, ...]  # one or two places in the list of names
    top: str = "white"
    bottom: str = "white"  # another colour than the top: graded from top to bottom


def draw_scene(thing: int, view: int, things: int, seed: int) -> Scene:
    """View 0 is the thing on white, 1 to 5 on a colour, 6 to 8 on a gradient, 9 to 15 with another thing."""
    chance = random.Random(f"{seed}/{thing}/{view}")
    colours = list(COLOURS)
    if view == 0:
        return Scene((thing,))
    if view < 6:
        colour = chance.choice(colours[1:])
        return Scene((thing,), colour, colour)
    if view < 9:
        return Scene((thing,), *chance.sample(colours, 2))
    pair = (thing, chance.choice([other for other in range(things) if other != thing]))
    colour = "white" if view < 12 else chance.choice(colours[1:])
    return Scene(pair if view % 2 else pair[::-1], colour, colour)


VIEWS = 16
# How often each view is trained on: half of the time the thing alone on white, 22 % of the time two things.
VIEW_WEIGHTS = (0.5, *[0.036] * 5, *[0.033] * 3, *[0.0316] * 7)


def paint(scene: Scene, pictures: torch.Tensor) -> torch.Tensor:
    """(3, SIDE, SIDE) in [-1, 1]; pictures: (N, 4, HEIGHT, WIDTH) uint8."""
    canvas = graded(colour(scene.top), colour(scene.bottom))
    if len(scene.things) == 1:
        height = _height(_ALONE)
        boxes = [((SIDE - height) // 2, (SIDE - _ALONE) // 2, _ALONE)]
    else:
        boxes = [(2, 1, _PAIRED), (SIDE - _height(_PAIRED) - 2, SIDE - _PAIRED - 1, _PAIRED)]
    for thing, (top, left, width) in zip(scene.things, boxes, strict=True):
        sprite = shrink(pictures[thing], width)
        height = sprite.shape[1]
        part = canvas[:, top : top + height, left : left + width]
        part.copy_(sprite[:3] + (1 - sprite[3:]) * part)
    return canvas.clamp(0, 1) * 2 - 1


def shrink(rgba: torch.Tensor, width: int) -> torch.Tensor:
    """(..., 4, HEIGHT, WIDTH) uint8 to (..., 4, height, width) in [0, 1], colours multiplied by alpha."""
    values = rgba.float() / 255
    values = torch.cat([values[..., :3, :, :] * values[..., 3:, :, :], values[..., 3:, :, :]], -3)
    batch = values.reshape(-1, 4, HEIGHT, WIDTH)
    small = F.interpolate(batch, (_height(width), width), mode="bilinear", antialias=True, align_corners=False)
    return small.reshape(*values.shape[:-2], _height(width), width)


def colour(name: str) -> torch.Tensor:
    return torch.tensor(COLOURS[name]) / 255


def graded(top: torch.Tensor, bottom: torch.Tensor) -> torch.Tensor:
    """(..., 3) each, to (..., 3, SIDE, SIDE): from the top's colour to the bottom's."""
    share = torch.linspace(0, 1, SIDE)[:, None]  # (SIDE, 1)
    return (top[..., None, None] * (1 - share) + bottom[..., None, None] * share).expand(*top.shape, SIDE, SIDE).clone()


def caption(scene: Scene, names: list[Name], chance: random.Random) -> str:
    """One of the ways to say it: name or alias, with or without article, "sky blue" or "sky-blue"."""
    words = [_call(names[thing], chance) for thing in scene.things]
    if len(words) == 2:
        said = f"{article(words[0])} and {article(words[1])}"
    else:
        said = words[0] if chance.random() < 0.4 else article(words[0])
    if scene.top == scene.bottom == "white":
        return said + (" on a white background" if chance.random() < 0.15 else "")
    if scene.top == scene.bottom:
        ground = f"{article(scene.top)} background"
    else:
        ground = f"{article(scene.top)} to {scene.bottom} background"
    return f"{said} on {ground if chance.random() < 0.5 else ground.replace('-', ' ')}"


def article(words: str) -> str:
    """Gives "an owl", "a unicorn", "grapes": what looks like a plural has none."""
    if words.endswith("s") and not words.endswith(("ss", "us", "is")):
        return words
    vowel = words[0] in "aeiou" and not words.startswith(("eu", "one", "uni", "ut", "ufo"))
    return f"{'an' if vowel else 'a'} {words}"


def _call(name: Name, chance: random.Random) -> str:
    return chance.choice(name.aliases) if name.aliases and chance.random() < 0.4 else name.text


def _height(width: int) -> int:
    return round(width * HEIGHT / WIDTH)
