# B batch, L image tokens of this rank, T text tokens, C width, H heads, D head size, N neurons of an MLP, c values of a
# token. H and N are those of the share that the weights are; the whole has H·D = C and N = 4C.
# x is the image's hidden states (B, L, C) and, with the first patch, the text's (B, T, C) after them; in packed queries,
# keys and values, and in what attention gives, text comes first. Each layer has a weight and a bias.
# A double block's weights, in order:
#  0 image's modulation (6C, C)   2 text's modulation (6C, C)
#  4 Q/K/V (3·H·D, C)   6 norms of Q and of K (D)   8 attention output (C, H·D)   10 MLP in (N, C)   12 MLP out (C, N)
# 14 the same for the text
# A single block's weights, in order:
#  0 modulation (3C, C)   2 Q/K/V (3·H·D, C)   4 norms of Q and of K (D)   6 MLP in (N, C)
#  8 output of attention (C, H·D)   9 of the MLP (C, N)   10 the bias of both (C)

def double_modulation(self, t: Tensor, w: List[Tensor]) -> Tensor:
  # t (B, C) -> shift, scale, gate twice, then the same for the text: (12, B, 1, C)
  return torch.cat([self.modulations(t, w[0], w[1], 6), self.modulations(t, w[2], w[3], 6)], 0)

def single_modulation(self, t: Tensor, w: List[Tensor]) -> Tensor:
  # t (B, C) -> shift, scale, gate (3, B, 1, C)
  return self.modulations(t, w[0], w[1], 3)

def project(self, x: Tensor, rotation: Tensor, w: List[Tensor], first: int, head: int) -> Tensor:
  # x (B, l, C) -> queries, keys, values (B, l, 3, H, D); rotation (L, D/2, 2) turns the last L of the l tokens, text has
  # position 0. Norm and rotation are computed in fp32, in the place of the projection where that is fp32.
  packed = self.linear(x, w[first], w[first + 1]).unflatten(2, [3, -1, head])
  qk = torch.to(packed.slice(2, 0, 2), 6)  # (B, l, 2, H, D)
  self.rms_norm_heads(qk, w[first + 2], w[first + 3], 1e-6)
  image = qk.slice(1, qk.size(1) - rotation.size(0), qk.size(1)).unflatten(4, [-1, 2])
  torch.view_as_complex(image).mul_(torch.view_as_complex(rotation).unsqueeze(1).unsqueeze(1))
  if packed.dtype != 6:
    packed.slice(2, 0, 2).copy_(qk)
  return packed

def double_before(self, x: List[Tensor], m: Tensor, rotation: Tensor, w: List[Tensor], head: int) -> Tensor:
  # -> (B, T + L, 3, H, D)
  image = self.project(self.modulate_rows(x[0], m[0], m[1], 1e-6), rotation, w, 4, head)
  if len(x) == 1:
    return image
  still = rotation.slice(0, 0, 0)
  text = self.project(self.modulate_rows(x[1], m[6], m[7], 1e-6), still, w, 14, head)
  return torch.cat([text, image], 1)

def double_after(self, x: List[Tensor], attended: Tensor, m: Tensor, w: List[Tensor],
                 terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D) -> like x; two terms
  text = attended.size(1) - x[0].size(1)
  out = [self.stream_after(x[0], attended.slice(1, text, attended.size(1)), m.slice(0, 0, 6), w, 8, terms)]
  if len(x) > 1:
    text_out = self.stream_after(x[1], attended.slice(1, 0, text), m.slice(0, 6, 12), w, 18, terms)
    out.append(self.finite(text_out))
  return out

def single_before(self, x: List[Tensor], m: Tensor, rotation: Tensor, w: List[Tensor],
                  head: int) -> Tuple[Tensor, Tensor]:
  # -> queries, keys, values (B, T + L, 3, H, D), and what they are projections of, (B, T + L, C)
  n = self.modulate_rows(x[0], m[0], m[1], 1e-6)
  if len(x) > 1:
    n = torch.cat([self.modulate_rows(x[1], m[0], m[1], 1e-6), n], 1)
  return (self.project(n, rotation, w, 2, head), n)

def single_after(self, x: List[Tensor], attended: Tensor, n: Tensor, m: Tensor, w: List[Tensor],
                 terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D), n (B, T + L, C) -> like x, which may lack the text; one term. The output projection's product
  # with [attention | MLP] is the sum of two, so that nothing is concatenated.
  image = x[0].size(1)
  first = 0
  if len(x) == 1:
    first = n.size(1) - image
  attention = attended.slice(1, first, n.size(1)).flatten(2)
  y = self.linear(attention, w[8], w[10])
  y = self.mlp_gelu_tanh_add(n.slice(1, first, n.size(1)), w[6], w[7], w[9], torch.zeros_like(w[10]), y)
  text = y.size(1) - image
  out = [self.finite(self.add_gated(x[0], y.slice(1, text, y.size(1)), m[2], terms, 0))]
  if len(x) > 1:
    out.append(self.finite(self.add_gated(x[1], y.slice(1, 0, text), m[2], terms, 0)))
  return out

def finite(self, x: Tensor) -> Tensor:
  # x within the range of fp16, as diffusers keeps it
  if x.dtype == 5:
    return x.clamp(-65504, 65504)
  return x

def embed(self, tokens: Tensor, w: List[Tensor]) -> Tensor:
  # (B, L, c) -> (B, L, C)
  return self.linear(tokens, w[0], w[1]).contiguous()

# The conditioner's weights, in order; each with its bias:
#  0 projection of the text   2 timestep, two layers   6 pooled text, two layers   10 guidance, two layers, if there is any

def embed_text(self, embeds: Tensor, w: List[Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w[0], w[1])

def embed_fixed(self, pooled: Tensor, guidance: List[float], w: List[Tensor]) -> Tensor:
  # pooled (B, pooled width), guidance: one number or none -> (B, C); numbers are computed in the run's type, as in diffusers
  out = self.silu_mlp(pooled, w, 6)
  for g in guidance:
    out = out + self.embed_number(float((self.rounded(g, pooled.dtype) * 1000).item()), w, 10)
  return out

def condition(self, timestep: float, fixed: Tensor, w: List[Tensor]) -> Tensor:
  # fixed (B, C) -> with the timestep, after the SiLU that every modulation begins with: (B, C)
  value = float((self.rounded(timestep, fixed.dtype) / 1000 * 1000).item())
  return torch.silu(self.embed_number(value, w, 2) + fixed)

def axis(self, positions: Tensor, size: int) -> Tensor:
  # (L) -> angles (L, size/2), in fp64
  exponents = torch.arange(0, size, 2, dtype=7, device=positions.device) / size
  return torch.outer(torch.to(positions, 7), torch.reciprocal(torch.pow(10000., exponents)))

def rotation(self, positions: List[int], columns: int, axes: List[int], like: Tensor) -> Tensor:
  # cosines and sines (L, D/2, 2) fp32 of coordinate 0, of the row and of the column
  index = torch.tensor(positions, dtype=4, device=like.device)
  row, column = torch.floor_divide(index, columns), index % columns
  angles = torch.cat([self.axis(index * 0, axes[0]), self.axis(row, axes[1]), self.axis(column, axes[2])], 1)
  return torch.to(torch.stack([torch.cos(angles), torch.sin(angles)], 2), 6)
