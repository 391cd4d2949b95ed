"""A step's products and attention alone, each by the fastest kernel that is found here: what no step can be quicker than.

What diffusers multiplies in a step is recorded by its modules. What depends on the text alone is left out, because it need not
be computed in every step. Layers of the same input count as one product where that is quicker.
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

_ONCE = re.compile(r"caption_projection|context_embedder|attn2\.to_[kv]$|attn2\.add_[kv]_proj$|text_embed|condition_embedder\.text")
_TRIES = 3
_PAIRS = 2  # heads at a time
_SCORES = 1048576  # of a head, held at once

Kernel = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Product:
    """Linear layers of one input."""

    x: torch.Tensor
    layers: tuple[torch.nn.Linear, ...]


class Bound:
    """Runs what was recorded; chooses kernels the first time."""

    def __init__(self, transformer: torch.nn.Module, step: Callable[[], object]):
        self._transformer = transformer
        self._step = step
        self._kernels: list[Kernel] = []

    def __call__(self) -> None:
        if not self._kernels:
            self._choose()
        for kernel in self._kernels:
            kernel()

    def _choose(self) -> None:
        chosen: dict[tuple, str] = {}
        uses: Counter = Counter()
        products, others, attentions = _record(self._transformer, self._step)
        for product in products:
            key = ("product", tuple(product.x.shape), tuple(layer.out_features for layer in product.layers))
            self._kernels += _fastest(chosen, uses, key, _products(product))
        for x, layer in others:
            key = ("convolution", tuple(x.shape), layer.out_channels)
            self._kernels += _fastest(chosen, uses, key, {"eager's": _applied(layer, x)})
        for q, k, v, mask in attentions:
            key = ("attention", tuple(q.shape), tuple(k.shape), mask is not None)
            self._kernels += _fastest(chosen, uses, key, _attentions(q, k, v, mask))
        for key, name in chosen.items():
            print(f"bound: {uses[key]} times {key[0]} of {', '.join(map(str, key[1:]))}: {name}", file=sys.stderr)


def _record(transformer: torch.nn.Module, step: Callable[[], object]):
    linears, others, attentions = [], [], []

    def seen(name: str):
        def hook(layer: torch.nn.Module, inputs: tuple) -> None:
            if not _ONCE.search(name):
                (linears if isinstance(layer, torch.nn.Linear) else others).append((inputs[0], layer))

        return hook

    kinds = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)
    hooks = [m.register_forward_pre_hook(seen(n)) for n, m in transformer.named_modules() if isinstance(m, kinds)]
    real = F.scaled_dot_product_attention

    def attend(query, key, value, attn_mask=None, *args, **named):
        attentions.append((query, key, value, attn_mask))
        return real(query, key, value, attn_mask, *args, **named)

    F.scaled_dot_product_attention = attend
    try:
        step()
    finally:
        F.scaled_dot_product_attention = real
        for hook in hooks:
            hook.remove()
    return _joined(linears), others, attentions


def _joined(linears: list) -> list[Product]:
    """By their inputs, which are all alive here, so that no two have one identity."""
    groups: dict[int, list] = {}
    for x, layer in linears:
        groups.setdefault(id(x), []).append((x, layer))
    return [Product(group[0][0], tuple(layer for _, layer in group)) for group in groups.values()]


def _fastest(chosen: dict, uses: Counter, key: tuple, candidates: dict[str, Callable[[], list[Kernel]]]) -> list[Kernel]:
    """The kernels of the candidate that was the fastest of this key; each makes its kernels when asked."""
    uses[key] += 1
    if key in chosen:
        return candidates[chosen[key]]()
    made = {}
    for name, make in candidates.items():
        try:
            made[name] = make()
            _run(made[name])
        except RuntimeError as e:
            made.pop(name, None)
            print(f"bound: {name} is left out: {str(e).splitlines()[0][:100]}", file=sys.stderr)
    seconds = {name: min(times) for name, times in _timed(made).items()}
    chosen[key] = min(seconds, key=seconds.get)
    return made[chosen[key]]


def _timed(made: dict[str, list[Kernel]]) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(_TRIES):
        for name, kernels in made.items():
            start = time.process_time()  # other work on the machine hardly changes it
            _run(kernels)
            seconds[name].append(time.process_time() - start)
    return seconds


def _run(kernels: list[Kernel]) -> None:
    for kernel in kernels:
        kernel()


def _products(product: Product) -> dict[str, Callable[[], list[Kernel]]]:
    def apart(kernel) -> Callable[[], list[Kernel]]:
        return lambda: [kernel(product.x, layer.weight.data, _data(layer.bias)) for layer in product.layers]

    def together(kernel) -> Callable[[], list[Kernel]]:
        def make() -> list[Kernel]:
            weight = torch.cat([layer.weight.data for layer in product.layers])
            biases = [_data(layer.bias) for layer in product.layers]
            return [kernel(product.x, weight, None if biases[0] is None else torch.cat(biases))]

        return make

    kernels = _LINEAR if product.x.dtype == torch.float32 else {**_LINEAR, "widened before": _widened}
    all_kernels = {name: apart(kernel) for name, kernel in kernels.items()}
    if len(product.layers) > 1:
        all_kernels.update({f"{name}, as one": together(kernel) for name, kernel in kernels.items()})
    return all_kernels


def _applied(layer: torch.nn.Module, x: torch.Tensor) -> Callable[[], list[Kernel]]:
    return lambda: [lambda: layer(x)]


def _data(bias: torch.nn.Parameter | None) -> torch.Tensor | None:
    return None if bias is None else bias.data


def _plain(x, w, b) -> Kernel:
    return lambda: F.linear(x, w, b)


def _onednn(x, w, b) -> Kernel:
    return lambda: torch.ops.mkldnn._linear_pointwise(x, w, b, "none", [], "")


def _onednn_packed(x, w, b) -> Kernel:
    packed = torch.ops.mkldnn._reorder_linear_weight(w, x.numel() // x.shape[-1])
    return lambda: torch.ops.mkldnn._linear_pointwise(x, packed, b, "none", [], "")


def _mkl_packed(x, w, b) -> Kernel:
    rows = x.numel() // x.shape[-1]
    packed = torch.ops.mkl._mkl_reorder_linear_weight(w, rows)
    return lambda: torch.ops.mkl._mkl_linear(x, packed, w, b, rows)


def _widened(x, w, b) -> Kernel:
    wide, weight, bias = x.float(), w.float(), None if b is None else b.float()
    return lambda: F.linear(wide, weight, bias)


_LINEAR = {
    "libtorch's (MKL)": _plain,
    "oneDNN": _onednn,
    "oneDNN, packed": _onednn_packed,
    "MKL, packed": _mkl_packed,
}


def _attentions(q, k, v, mask) -> dict[str, Callable[[], list[Kernel]]]:
    def fused() -> list[Kernel]:
        return [lambda: F.scaled_dot_product_attention(q, k, v, mask)]

    def math() -> list[Kernel]:
        return [lambda: torch.ops.aten._scaled_dot_product_attention_math(q, k, v, mask)[0]]

    def pairs() -> list[Kernel]:
        return [lambda: _by_pairs(q, k, v)]

    all_kernels = {"fused": fused, "math": math}
    if mask is None:
        all_kernels["two heads at a time"] = pairs
    if q.dtype != torch.float32:
        q32, k32, v32, mask32 = (None if x is None else x.float() for x in (q, k, v, mask))
        all_kernels["fused, widened before"] = lambda: [lambda: F.scaled_dot_product_attention(q32, k32, v32, mask32)]
    return all_kernels


def _by_pairs(q, k, v) -> torch.Tensor:
    out = torch.empty_like(q)
    rows = max(64, _SCORES // k.size(2))
    scaled = q * q.size(3) ** -0.5
    for b in range(q.size(0)):
        for h in range(0, q.size(1), _PAIRS):
            heads = slice(h, h + _PAIRS)
            keys, values = k[b, heads].transpose(1, 2), v[b, heads]
            for start in range(0, q.size(2), rows):
                part = scaled[b, heads, start : start + rows]
                out[b, heads, start : start + rows] = torch.bmm(torch.softmax(torch.bmm(part, keys), -1), values)
    return out
