def of(self, shape: List[int], dtype: int, seed: int) -> Tensor:
  # random numbers of the seed
  g = torch.Generator(device=torch.device("cpu"), seed=seed)
  return torch.to(torch.randn(shape, generator=g, dtype=6, device=torch.device("cpu")), dtype)

def inputs(self, sizes: List[int], dtype: int, skip: int) -> List[Tensor]:
  # sizes B, L, C: x and y (B, L, C), of which y are the last tokens of L + skip, shift, factor and gate (B, 1, C)
  b, l, c = sizes[0], sizes[1], sizes[2]
  x = self.of([b, l, c], 6, 1) * 3 + 0.5
  m = self.of([3, b, 1, c], dtype, 2)
  return [torch.to(x, dtype), self.of([b, l + skip, c], dtype, 3).slice(1, skip, l + skip), m[0], 1 + m[1], m[2]]

def heads(self, sizes: List[int], dtype: int, turned: int) -> List[Tensor]:
  # sizes B, L, H, D: queries, keys, values that are the last L tokens of a buffer, weights, and a rotation of the last tokens
  b, l, h, d = sizes[0], sizes[1], sizes[2], sizes[3]
  angles = self.of([turned, d // 2], 6, 4)
  packed = self.of([b, l + 3, 3, h, d], dtype, 5)
  return [packed, 1 + self.of([2, d], dtype, 6), torch.stack([torch.cos(angles), torch.sin(angles)], 2)]

def adaln(self, x: Tensor, shift: Tensor, factor: Tensor) -> Tensor:
  return self.modulate(x, shift, factor, 1e-6)

def gated(self, x: Tensor, y: Tensor, gate: Tensor) -> Tensor:
  return self.add_gated(x, y, gate, [0, 1, 1], 0)

def gated_in_place(self, x: Tensor, y: Tensor, gate: Tensor) -> Tensor:
  x = x.clone()
  out = self.add_gated(x, y, gate, [0, 2, 1], 1)
  assert torch.equal(out, x)
  return out

def gate_alone(self, x: Tensor, y: Tensor, gate: Tensor) -> Tensor:
  return self.add_gated(x, y, gate, [0, 1, 0], 0)

def turned(self, packed: Tensor, weights: Tensor, rotation: Tensor) -> Tensor:
  # of the last tokens but 3; the whole buffer
  out = packed.clone()
  rotations = [rotation] if rotation.size(0) > 0 else annotate(List[Tensor], [])
  self.norm_rotate_(out.slice(1, 3, out.size(1)), rotations, {"n.weight": weights}, "n", 1e-6)
  return out

def adaln_terms(self, x: Tensor, shift: Tensor, factor: Tensor) -> Tensor:
  # the largest number that adaLN goes through: x and its mean in the scale of the result, or shift
  wide = torch.to(x, 7)
  variance, mean = torch.var_mean(wide, [-1], correction=0, keepdim=True)
  largest = (wide.abs() + mean.abs()) * torch.rsqrt(variance + 1e-6)
  return torch.maximum((largest * factor).abs(), torch.to(shift, 7).abs())

def gated_terms(self, x: Tensor, y: Tensor, gate: Tensor) -> Tensor:
  return torch.maximum(torch.to(x, 7).abs(), (torch.to(y, 7) * gate).abs())

def turned_terms(self, packed: Tensor, weights: Tensor, rotation: Tensor) -> Tensor:
  # the length of each pair that is turned, and values, and tokens before the slice, as they are
  out = torch.to(packed, 7)
  if rotation.size(0) > 0:
    qk = out.slice(1, 3, packed.size(1)).slice(2, 0, 2)
    qk.mul_(torch.rsqrt(qk.square().mean([-1], True) + 1e-6)).mul_(weights.unsqueeze(1))
    pairs = torch.linalg_vector_norm(qk.unflatten(4, [-1, 2]), 2, [-1], True).expand([-1, -1, -1, -1, -1, 2])
    qk.copy_(pairs.flatten(4))
  return out.abs()

def ulps(self, ours: Tensor, plain: Tensor, terms: Tensor) -> float:
  # the largest distance, in units of the last place of the largest number on the way
  assert ours.dtype == plain.dtype and ours.size() == plain.size()
  bits = 23
  if plain.dtype == 15:
    bits = 7
  if plain.dtype == 5:
    bits = 10
  size = torch.maximum(torch.maximum(terms, torch.to(plain, 7).abs()), torch.full_like(terms, 1e-3))
  unit = torch.exp2(torch.floor(torch.log2(size)) - bits)
  return float(((torch.to(ours, 7) - torch.to(plain, 7)).abs() / unit).max().item())

def first_row(self, x: Tensor) -> Tensor:
  # (B, 1, C) -> (C)
  return x[0].flatten()

def same(self, x: Tensor, y: Tensor) -> int:
  return int(torch.equal(x, y))

def on(self, xs: List[Tensor], device: str) -> List[Tensor]:
  # the same on a device
  out = annotate(List[Tensor], [])
  for x in xs:
    out.append(torch.to(x, torch.device(device), x.dtype))
  return out
