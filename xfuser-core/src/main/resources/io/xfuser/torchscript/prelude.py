# What programs call is joined to them (Prelude.java). Shapes: B batch, L tokens (Lq queries, Lk keys), H heads, D head size, C width.

# What a block adds to its tokens, term by term (Terms.java): functions take `terms` [first, end, tokens] and add the terms
# from first to end (exclusive) of theirs. Where tokens is 0, x itself is left out of the result, because the rank of
# another share adds it; the terms read it none the less.

def adds(self, terms: List[int], term: int) -> bool:
  return terms[0] <= term and term < terms[1]

def add_gated(self, x: Tensor, y: Tensor, gate: Tensor, terms: List[int], term: int) -> Tensor:
  # x + gate·y, in the place of x where an earlier term of this call made it
  if terms[2] == 0:
    return y * gate
  if terms[0] < term:
    return torch.addcmul_(x, y, gate)
  return torch.addcmul(x, y, gate)

def add_linear(self, x: Tensor, y: Tensor, w: Dict[str, Tensor], name: str, terms: List[int]) -> Tensor:
  # x + linear(y)
  if terms[2] == 0:
    return self.linear(y, w, name)
  return self.linear_add(y, w, name, x)

def add_mlp_gelu_tanh(self, x: Tensor, y: Tensor, w: Dict[str, Tensor], first: str, second: str, terms: List[int]) -> Tensor:
  # x + second(gelu_tanh(first(y)))
  if terms[2] == 0:
    return self.mlp_gelu_tanh(y, w, first, second)
  return self.mlp_gelu_tanh_add(y, w, first, second, x)

def split_heads(self, x: Tensor, heads: int) -> Tensor:
  # (B, L, H·D) -> (B, H, L, D)
  return x.unflatten(2, [heads, -1]).transpose(1, 2)

def modulate(self, x: Tensor, shift: Tensor, scale_plus_one: Tensor, eps: float) -> Tensor:
  # adaLN: LN(x)·(1 + scale) + shift in one kernel; all batch rows share shift and scale, both (C)
  return torch.layer_norm(x, [x.size(2)], scale_plus_one, shift, eps)

def modulations(self, t: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  # shifts, scales, gates of adaLN from the conditioning after its SiLU: t (B, C), a layer of n·C outputs -> (n, B, 1, C)
  return self.linear(t, w, name).unflatten(1, [-1, t.size(1)]).transpose(0, 1).unsqueeze(2)

def modulate_rows(self, x: Tensor, shift: Tensor, scale: Tensor, eps: float) -> Tensor:
  # adaLN where batch rows differ in shift and scale, both (B, 1, C)
  if x.size(0) == 1:
    return self.modulate(x, shift.reshape([-1]), 1 + scale.reshape([-1]), eps)
  return torch.addcmul(shift, torch.layer_norm(x, [x.size(2)], None, None, eps), 1 + scale)

def layer_norm(self, x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  # x (..., C)
  return torch.layer_norm(x, [x.size(-1)], w[name + ".weight"], w.get(name + ".bias"), eps)

def rms_norm(self, x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  # x (..., C) divided by its root mean square, which is taken in fp32, times the weight (C)
  weight = w[name + ".weight"]
  variance = torch.to(x, 6).square().mean([-1], True)
  return torch.to(x * torch.rsqrt(variance + eps), weight.dtype) * weight

def rms_norm_heads(self, packed: Tensor, w: Dict[str, Tensor], query: str, key: str, eps: float) -> Tensor:
  # divides queries and keys of packed (B, L, 3, H, D), in place, by each head's root mean square, taken in fp32, and
  # multiplies them by the weights (D) of their norms
  qk = packed.slice(2, 0, 2)
  length = torch.linalg_vector_norm(qk, 2, [-1], True, dtype=6)  # (B, L, 2, H, 1)
  weight = torch.stack([w[query + ".weight"], w[key + ".weight"]]).unsqueeze(1)  # (2, 1, D)
  qk.mul_(torch.rsqrt(length.square() / qk.size(4) + eps)).mul_(weight)
  return packed

def rotate(self, x: Tensor, rotation: Tensor) -> Tensor:
  # rotary embedding of neighbouring pairs (arXiv 2104.09864): x (B, L, H, D), rotation (L, D/2, 2), cosines and sines in
  # fp32; computed in fp32, returned in the type of x
  pairs = torch.view_as_complex(torch.to(x, 6).unflatten(3, [-1, 2]).contiguous())
  turned = pairs * torch.view_as_complex(rotation).unsqueeze(1)
  return torch.to(torch.view_as_real(turned).flatten(3), x.dtype)

def sinusoid(self, value: float, like: Tensor) -> Tensor:
  # (1, 256), cosines first; in fp32, then in the type of like
  frequencies = torch.exp(torch.arange(128, dtype=6, device=like.device) * (-9.210340371976184 / 128))
  angles = torch.full([1], value, dtype=6, device=like.device) * frequencies  # a copied number would wait for the GPU
  return torch.to(torch.cat([torch.cos(angles), torch.sin(angles)]).unsqueeze(0), like.dtype)

def rounded(self, value: float, dtype: int) -> Tensor:
  # a number as it is in a type, on the CPU, to be read again
  return torch.tensor(value, dtype=dtype, device=torch.device("cpu"))

def silu_mlp(self, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  # two linear layers with SiLU between them, linear_1 and linear_2 under a name
  return self.linear(torch.silu(self.linear(x, w, name + ".linear_1")), w, name + ".linear_2")

def embed_number(self, value: float, like: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  # a timestep, a size: its sinusoid in the type of like and two linear layers -> (1, width)
  return self.silu_mlp(self.sinusoid(value, like), w, name)
