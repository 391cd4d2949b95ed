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
  return self.tokens_first(like, tokens, bias.size(0)).unflatten(2, [3, -1, head])

def start_packed(self, x: Tensor, text: int, w: Dict[str, Tensor], head: int) -> Tensor:
  # x (B, l, C) of the image -> queries, keys, values (B, text + l, 3, H, D), of the text not yet, of the image as attn.to_qkv
  # gives them: its values are ready
  if text == 0:
    return self.linear(x, w, "attn.to_qkv").unflatten(2, [3, -1, head])
  packed = self.new_packed(x, text + x.size(1), w["attn.to_qkv.bias"], head)
  self.linear_into(x, w, "attn.to_qkv", packed.slice(1, text, packed.size(1)).flatten(2))
  return packed

def finish_packed(self, packed: Tensor, text: List[Tensor], rotation: List[Tensor], w: Dict[str, Tensor]) -> Tensor:
  # what start_packed left: norms and turns the image's queries and keys, and projects the text, none or (B, T, C); rotation is
  # that of the image (L, D/2, 2), and behind it the text's, if it is turned
  tokens = 0
  for x in text:
    tokens = x.size(1)
    out = packed.slice(1, 0, tokens)
    self.linear_into(x, w, "attn.to_added_qkv", out.flatten(2))
    self.norm_rotate_(out, rotation[1:], w, "attn.norm_added_qk", 1e-6)
  self.norm_rotate_(packed.slice(1, tokens, packed.size(1)), rotation[:1], w, "attn.norm_qk", 1e-6)
  return packed

def finite(self, x: Tensor) -> Tensor:
  # x within the range of fp16, as diffusers keeps it
  if x.dtype == 5:
    return x.clamp(-65504, 65504)
  return x
