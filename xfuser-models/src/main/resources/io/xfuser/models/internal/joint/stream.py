# What follows joint attention, the same for image and text, whose layers have other names: of the attention's output, and
# of the MLP in and out. m: shift, factor (1 + scale), gate twice (6 or more, B, 1, C). H heads and N neurons are those of the share that
# the weights are.

def modulated(self, x: Tensor, m: Tensor, eps: float) -> Tensor:
  # x (B, L, C) as a block's first layer reads it; m has the shift and the factor of that first
  return self.modulate(x, m[0], m[1], eps)

def add_attended(self, x: Tensor, attended: Tensor, m: Tensor, w: Dict[str, Tensor], output: str,
                 terms: List[int]) -> Tensor:
  # term 0: x (B, l, C) + gate·projection of attended (B, l, H, D)
  if not self.adds(terms, 0):
    return x
  return self.add_gated(x, self.linear(attended.flatten(2), w, output), m[2], terms, 0)

def add_mlp(self, x: Tensor, m: Tensor, w: Dict[str, Tensor], first: str, second: str, terms: List[int],
            term: int) -> Tensor:
  # x (B, l, C) + gate·MLP(adaLN(x))
  if not self.adds(terms, term):
    return x
  h = self.modulate(x, m[3], m[4], 1e-6)
  return self.add_gated(x, self.mlp_gelu_tanh(h, w, first, second), m[5], terms, term)

def image_after(self, x: Tensor, attended: Tensor, m: Tensor, w: Dict[str, Tensor], terms: List[int]) -> Tensor:
  # x (B, l, C), attended (B, l, H, D) -> (B, l, C); two terms
  h = self.add_attended(x, attended, m, w, "attn.to_out.0", terms)
  return self.add_mlp(h, m, w, "ff.net.0.proj", "ff.net.2", terms, 1)

def text_after(self, x: Tensor, attended: Tensor, m: Tensor, w: Dict[str, Tensor], terms: List[int]) -> Tensor:
  # the same for the text
  h = self.add_attended(x, attended, m, w, "attn.to_add_out", terms)
  return self.add_mlp(h, m, w, "ff_context.net.0.proj", "ff_context.net.2", terms, 1)

def new_packed(self, like: Tensor, tokens: int, bias: Tensor, head: int) -> Tensor:
  # a joint buffer for queries, keys and values (B, tokens, 3, H, D) of tokens like (B, l, C), of layers with a bias (3·H·D)
  packed = torch.empty([like.size(0), tokens, bias.size(0)], dtype=like.dtype, device=like.device)
  return packed.unflatten(2, [3, -1, head])

def project(self, x: Tensor, rotation: List[Tensor], w: Dict[str, Tensor], layer: str, norm: str, out: Tensor) -> Tensor:
  # x (B, l, C), rotation none or (L, D/2, 2) -> queries, keys, values (B, l, 3, H, D) in out, a part of such a buffer
  self.linear_into(x, w, layer, out.flatten(2))
  return self.norm_rotate_(out, rotation, w, norm, 1e-6)

def finite(self, x: Tensor) -> Tensor:
  # x within the range of fp16, as diffusers keeps it
  if x.dtype == 5:
    return x.clamp(-65504, 65504)
  return x
