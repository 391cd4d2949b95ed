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

def add_linear(self, x: Tensor, y: Tensor, w: Dict[str, Tensor], name: str, terms: List[int], term: int) -> Tensor:
  # x + linear(y), in the place of x where it may be
  if terms[2] == 0:
    return self.linear(y, w, name)
  return self.linear_add(y, w, name, x, terms[0] < term)

def add_mlp_gelu_tanh(self, x: Tensor, y: Tensor, w: Dict[str, Tensor], first: str, second: str, terms: List[int],
                      term: int) -> Tensor:
  # x + second(gelu_tanh(first(y))), in the place of x where it may be
  if terms[2] == 0:
    return self.mlp_gelu_tanh(y, w, first, second)
  return self.mlp_gelu_tanh_add(y, w, first, second, x, terms[0] < term)

def split_heads(self, x: Tensor, heads: int) -> Tensor:
  # (B, L, H·D) -> (B, H, L, D)
  return x.unflatten(2, [heads, -1]).transpose(1, 2)

def tokens_first(self, like: Tensor, tokens: int, width: int) -> Tensor:
  # room for (B, tokens, width), of which each token has its B rows together: so all of some tokens are one matrix, whose
  # product is one kernel, also where others lie beside them. CPUs, which copy such products, have row by row.
  if like.is_cpu:
    return torch.empty([like.size(0), tokens, width], dtype=like.dtype, device=like.device)
  return torch.empty([tokens, like.size(0), width], dtype=like.dtype, device=like.device).transpose(0, 1)

def modulate(self, x: Tensor, shift: Tensor, factor: Tensor, eps: float, by_token: bool=False) -> Tensor:
  # adaLN: LN(x)·factor + shift, the factor being 1 + scale; in one kernel where all batch rows share both, (C) or (1, 1, C),
  # else they are (B, 1, C), and what is made of x is tokens_first if it is wanted so
  if shift.numel() == x.size(2):
    return torch.layer_norm(x, [x.size(2)], factor.reshape([-1]), shift.reshape([-1]), eps)
  if by_token and not x.is_cpu:
    normed = torch.layer_norm(x, [x.size(2)], None, None, eps)
    return torch.addcmul(shift, normed, factor, out=self.tokens_first(x, x.size(1), x.size(2)))
  return torch.addcmul(shift, torch.layer_norm(x, [x.size(2)], None, None, eps), factor)

def modulations(self, t: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  # shifts, scales, gates of adaLN from the conditioning after its SiLU: t (B, C), a layer of n·C outputs -> (n, B, 1, C)
  return self.linear(t, w, name).unflatten(1, [-1, t.size(1)]).transpose(0, 1).unsqueeze(2)

def table_modulations(self, table: Tensor, t: Tensor) -> Tensor:
  # adaLN-single: a block's table (6, C) and t (S, 6·C) of S steps -> shift, factor, gate twice (6, S, 1, C)
  return self.with_factors_(table.unsqueeze(1) + t.unflatten(1, [6, -1]).transpose(0, 1)).unsqueeze(2)

def with_factors_(self, m: Tensor) -> Tensor:
  # of shift, scale and gate, once or more (3·n, ...), scales become the factors 1 + scale of adaLN, in place
  m.unflatten(0, [-1, 3]).select(1, 1).add_(1)
  return m

def layer_norm(self, x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  # x (..., C)
  return torch.layer_norm(x, [x.size(-1)], w[name + ".weight"], w.get(name + ".bias"), eps)

def rms_norm(self, x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  # x (..., C) divided by its root mean square, which is taken in fp32, times the weight (C)
  weight = w[name + ".weight"]
  if x.is_cpu:
    variance = torch.to(x, 6).square().mean([-1], True)
    return torch.to(x * torch.rsqrt(variance + eps), weight.dtype) * weight
  normed = torch.empty(x.size(), dtype=weight.dtype, device=x.device)
  return torch.mul(x, self.per_length(x, eps), out=normed).mul_(weight)

def norm_rotate_(self, packed: Tensor, rotation: List[Tensor], w: Dict[str, Tensor], norm: str, eps: float) -> Tensor:
  # What comes between projection and attention, in the place of the queries and keys of packed (B, l, 3, H, D): each head is
  # divided by its root mean square and multiplied by the norms' weights (2, D); then the last L of the l tokens are turned by
  # rotation, none or as turn_ takes it. In fp32, but without a rotation the type of packed holds what is in between.
  qk = packed.slice(2, 0, 2)  # (B, l, 2, H, D)
  if packed.is_cpu:
    weight = w[norm + ".weight"].unsqueeze(1)  # (2, 1, D)
    if len(rotation) == 0:
      qk.mul_(self.per_length(qk, eps)).mul_(weight)
      return packed
    wide = torch.to(qk, 6)
    wide.mul_(self.per_length(wide, eps)).mul_(weight)
    self.turn_(wide, rotation[0])
    if packed.dtype != 6:
      qk.copy_(wide)
    return packed
  weight = self.weight_by_root(w, norm).unsqueeze(1)
  if len(rotation) == 0:
    qk.div_(self.norm_lengths(qk, eps)).mul_(weight)
    return packed
  # CUDA converts in the kernel: the weights on the way to fp32, the lengths, which turning leaves alone, on the way back
  wide = torch.mul(qk, weight)
  self.turn_(wide, rotation[0])
  torch.div(wide, self.norm_lengths(qk, eps), out=qk)
  return packed

def weight_by_root(self, w: Dict[str, Tensor], norm: str) -> Tensor:
  # the weights (2, D) times the root of D, in fp32, as they are read (WeightMap.java)
  if norm + ".weight_by_root" in w:
    return w[norm + ".weight_by_root"]
  weight = torch.to(w[norm + ".weight"], 6)
  return weight * float(weight.size(1)) ** 0.5

def per_length(self, x: Tensor, eps: float) -> Tensor:
  # one over the root mean square of each row: x (..., D) -> (..., 1) fp32
  if x.is_cpu:
    length = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
    return torch.rsqrt(torch.rsub(length.square(), eps, alpha=-1. / x.size(-1)))  # length²/D + eps
  return torch.div(self.rounded(float(x.size(-1)) ** 0.5, 6), self.norm_lengths(x, eps))

def norm_lengths(self, x: Tensor, eps: float) -> Tensor:
  # the root mean square of each row times the root of D, in two kernels: x (..., D) -> (..., 1) fp32
  length = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
  return torch.hypot(length, self.rounded((eps * x.size(-1)) ** 0.5, 6))

def turn_(self, x: Tensor, rotation: Tensor) -> Tensor:
  # turns neighbouring pairs (arXiv 2104.09864) of the last L tokens of x (B, l, 2, H, D) fp32 by rotation (L, D/2, 2), or
  # (B, L, D/2, 2) where batch rows differ
  pairs = x.slice(1, x.size(1) - rotation.size(-3), x.size(1)).unflatten(4, [-1, 2])
  torch.view_as_complex(pairs).mul_(torch.view_as_complex(rotation).unsqueeze(-2).unsqueeze(-2))
  return x

def rotate(self, x: Tensor, rotation: Tensor) -> Tensor:
  # rotary embedding of neighbouring pairs (arXiv 2104.09864): x (B, L, H, D), rotation (L, D/2, 2), cosines and sines in
  # fp32; computed in fp32, returned in the type of x
  pairs = torch.view_as_complex(torch.to(x, 6).unflatten(3, [-1, 2]).contiguous())
  turned = pairs * torch.view_as_complex(rotation).unsqueeze(1)
  return torch.to(torch.view_as_real(turned).flatten(3), x.dtype)

def sinusoid(self, value: float, like: Tensor, width: int=256) -> Tensor:
  # (1, width), cosines first; in fp32, then in the type of like
  half = width // 2
  frequencies = torch.exp(torch.arange(half, dtype=6, device=like.device) * (-9.210340371976184 / half))
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
