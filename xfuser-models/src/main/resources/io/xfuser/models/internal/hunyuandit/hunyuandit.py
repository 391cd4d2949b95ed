# B batch, L tokens of this rank, T text tokens, C width, H heads, D head size, M neurons of the MLP, E width of the text, c
# values of a token. H and M are those of the share that the weights are; the whole has H·D = C.
# A block's weights, in order; each norm, projection and layer has a weight and a bias:
#  0 norm (C)                     2 shift (C, C)
#  4 Q/K/V (3·H·D, C)             6 norm of Q (D)         8 norm of K (D)          10 attention output (C, H·D)
# 12 norm before the text (C)    14 cross query (H·D, C) 16 norm of it (D)
# 18 cross key/value (2·H·D, E)  20 norm of the key (D)  22 cross output (C, H·D)
# 24 norm before the MLP (C)     26 MLP in (M, C)        28 MLP out (C, M)
# 30 norm of the skip (2C)       32 skip (C, 2C), only where the block reads one

def norm(self, x: Tensor, w: List[Tensor], first: int) -> Tensor:
  # x (..., C)
  return torch.layer_norm(x, [x.size(-1)], w[first], w[first + 1], 1e-6)

def project(self, x: Tensor, w: List[Tensor], first: int) -> Tensor:
  return self.linear(x, w[first], w[first + 1])

def join_skip(self, x: Tensor, skip: Tensor, w: List[Tensor]) -> Tensor:
  # x and skip (B, L, C) -> (B, L, C)
  return self.project(self.norm(torch.cat([x, skip], 2), w, 30), w, 32)

def before_attention(self, x: Tensor, t: Tensor, rotation: Tensor, w: List[Tensor], head: int) -> Tensor:
  # x (B, L, C), t (B, C), rotation (L, D/2, 2), head is D -> packed queries, keys, values (B, L, 3, H, D)
  shift = self.linear(t, w[2], w[3]).unsqueeze(1)  # (B, 1, C)
  h = torch.add_(self.norm(x, w, 0), shift)
  packed = self.project(h, w, 4).unflatten(2, [3, -1, head])
  q, k = packed.select(2, 0), packed.select(2, 1)  # (B, L, H, D)
  q.copy_(self.rotate(self.norm(q, w, 6), rotation))
  k.copy_(self.rotate(self.norm(k, w, 8), rotation))
  return packed

def after_attention(self, x: Tensor, attended: Tensor, text_kv: Tensor, rotation: Tensor, w: List[Tensor],
                    terms: List[int]) -> Tensor:
  # x (B, L, C), attended (B, L, H, D), text_kv (B, T, 2, H, D), rotation (L, D/2, 2) -> (B, L, C); three terms
  if self.adds(terms, 0):
    x = self.add_linear(x, attended.flatten(2), w[10], w[11], terms)
  if self.adds(terms, 1):
    q = self.project(self.norm(x, w, 12), w, 14).unflatten(2, [text_kv.size(3), -1])
    q = self.rotate(self.norm(q, w, 16), rotation)
    k, v = text_kv.select(2, 0), text_kv.select(2, 1)
    text = self.attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))  # (B, L, H, D)
    x = self.add_linear(x, text.flatten(2), w[22], w[23], terms)
  if self.adds(terms, 2):
    x = self.add_mlp_gelu_tanh(x, self.norm(x, w, 24), w[26], w[27], w[28], w[29], terms)
  return x

def text_key_values(self, text: Tensor, w: List[Tensor], head: int) -> Tensor:
  # text (B, T, E), head is D -> (B, T, 2, H, D)
  packed = self.project(text, w, 18).unflatten(2, [2, -1, head])
  k = packed.select(2, 0)
  k.copy_(self.norm(k, w, 20))
  return packed

# The conditioner's weights, in order; each but 4, 5 and 20 has a bias behind it:
#  0 T5 projection in (4F, F), F the width of T5    2 out (E, 4F)    4 padding (T, E)
#  5 positions of the pool (T5 tokens + 1, F)       6 its query (F, F)   8 key/value (2F, F)   10 output (P, F)
# 12 timestep (C, 256)   14 (C, C)                 16 extra condition in (4C, …)   18 out (C, 4C)   20 style (1, C)

def text(self, bert: Tensor, t5: Tensor, bert_mask: Tensor, t5_mask: Tensor, w: List[Tensor]) -> Tensor:
  # bert (B, 77, E), t5 (B, 256, F), their masks (B, 77), (B, 256) -> (B, T, E), learned where there is no text
  present = torch.cat([bert_mask, t5_mask], 1).unsqueeze(2) != 0
  return torch.where(present, torch.cat([bert, self.silu_mlp(t5, w, 0)], 1), w[4])

def pool(self, t5: Tensor, w: List[Tensor]) -> Tensor:
  # (B, 256, F) -> (B, P): what the mean of all tokens, padding too, finds among them
  tokens = torch.cat([t5.mean([1], True), t5], 1) + w[5]
  q = self.linear(tokens.slice(1, 0, 1), w[6], w[7]).unflatten(2, [8, -1])
  kv = self.linear(tokens, w[8], w[9]).unflatten(2, [2, 8, -1])
  k, v = kv.select(2, 0), kv.select(2, 1)
  pooled = self.attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
  return self.linear(pooled.flatten(1), w[10], w[11])

def rounded_sinusoid(self, value: float, like: Tensor) -> Tensor:
  # (1, 256); numbers are in the type of the latents
  return self.sinusoid(float(self.rounded(value, like.dtype).item()), like)

def extra(self, t5: Tensor, sizes: List[float], style: bool, w: List[Tensor]) -> Tensor:
  # (B, C): the pooled text and, with style, the sizes and the style
  condition = [self.pool(t5, w)]
  if style:
    known = torch.cat([self.rounded_sinusoid(size, t5) for size in sizes] + [w[20]], 1)
    condition = condition + [known.expand([t5.size(0), -1])]
  return self.silu_mlp(torch.cat(condition, 1), w, 16)

def timestep(self, value: float, extra: Tensor, w: List[Tensor]) -> Tensor:
  # extra (B, C) -> (B, C), after the SiLU that all its readers begin with
  return torch.silu(self.silu_mlp(self.rounded_sinusoid(value, extra), w, 12) + extra)

def halves_to_even(self, x: float) -> int:
  # Python's round
  return int(torch.round(self.rounded(x, 7)).item())

def axis(self, count: int, longest: int, positions: Tensor, head: int) -> Tensor:
  # angles (L, D/4) of positions (L) along an axis of count tokens. The picture lies in the middle of the grid of one of
  # 512 pixels, 32 tokens, which its longer axis fills; as in diffusers, the end is scaled and not the length.
  length = self.halves_to_even(32. / longest * count)
  start = self.halves_to_even((32 - length) / 2.)
  end = (start + length) * (count - 1) / count
  places = torch.linspace(start, end, count, dtype=6, device=positions.device)
  half = head // 2
  frequencies = torch.reciprocal(torch.pow(10000., torch.arange(0, half, 2, dtype=6, device=positions.device) / half))
  return torch.outer(torch.index_select(places, 0, positions), frequencies)

def rotation(self, positions: List[int], rows: int, columns: int, head: int, like: Tensor) -> Tensor:
  # cosines and sines (L, D/2, 2) in fp32: of the column, then of the row
  index = torch.tensor(positions, dtype=4, device=like.device)
  longest = max(rows, columns)
  x = self.axis(columns, longest, index % columns, head)
  y = self.axis(rows, longest, torch.floor_divide(index, columns), head)
  angles = torch.cat([x, y], 1)
  return torch.stack([torch.cos(angles), torch.sin(angles)], 2)
