# The layers of AutoencoderKL's decoder. Shapes: B pictures, C and O channels, H rows, W columns, L = H·W; F frames.
# A convolution is conv in its weights, a normalisation norm, whatever the checkpoint calls them.
#
# On the CPU everything is laid out channels-last: oneDNN's convolutions then need no reordering.

def enter(self, latents: Tensor, dtype: int, scaling: float, shift: float) -> Tensor:
  # latents (B, C, H, W), still scaled -> (B, C, H, W)
  x = torch.to(latents, dtype) / scaling + shift
  if x.is_cpu:
    return torch.contiguous(x, memory_format=2)
  return x

def enter_whitened(self, latents: Tensor, dtype: int, means: List[float], deviations: List[float]) -> Tensor:
  # latents (B, C, H, W) of mean 0 and deviation 1 in each channel -> as they were
  x = torch.to(latents, dtype)
  inverse = 1. / torch.tensor(deviations, dtype=dtype, device=x.device).view([1, -1, 1, 1])
  x = x / inverse + torch.tensor(means, dtype=dtype, device=x.device).view([1, -1, 1, 1])
  if x.is_cpu:
    return torch.contiguous(x, memory_format=2)
  return x

def convolved(self, x: Tensor, w: Dict[str, Tensor], padding: List[int]) -> Tensor:
  # x (B, C, H, W), rows and columns of zeros around it -> (B, O, H, W)
  return self.convolve(x, w, "conv", padding)

def mend_(self, y: Tensor, x: Tensor, above: Tensor, below: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # y (B, O, H, W) is x (B, C, H, W), 3×3-convolved with zeros around it: its first and its last row again, in its
  # memory, with the rows above and below (B, C, 1, W) in the place of zeros
  h = x.size(2)
  if h == 1:
    torch.copy_(y, self.convolve(torch.cat([above, x, below], 2), w, "conv", [0, 1]))
  else:
    top = torch.cat([above, torch.slice(x, 2, 0, 2)], 2)  # (B, C, 3, W)
    bottom = torch.cat([torch.slice(x, 2, h - 2, h), below], 2)  # (B, C, 3, W)
    torch.copy_(torch.slice(y, 2, 0, 1), self.convolve(top, w, "conv", [0, 1]))
    torch.copy_(torch.slice(y, 2, h - 1, h), self.convolve(bottom, w, "conv", [0, 1]))
  return y

def normalize(self, x: Tensor, w: Dict[str, Tensor], groups: int, eps: float, silu: bool) -> Tensor:
  # x (B, C, H, W) -> (B, C, H, W)
  y = torch.group_norm(x, groups, w["norm.weight"], w["norm.bias"], eps)
  if silu:
    return torch.silu_(y)
  return y

def rows_at_once(self, x: Tensor) -> int:
  # so many rows of x (B, C, H, W) are cast to fp32 at a time: what the CPU's cache holds, or 128 MiB
  elements = 262144 if x.is_cpu else 33554432
  return max(1, elements // (x.size(0) * x.size(1) * x.size(3)))

def moments(self, x: Tensor, groups: int) -> Tensor:
  # x (B, C, H, W) -> (1, 3, B, G) in fp64: each group's count, mean, and sum of squared deviations from it
  grouped = torch.unflatten(x, 1, [groups, -1])  # (B, G, C/G, H, W)
  step = self.rows_at_once(x)
  parts = annotate(List[Tensor], [])
  for i in range((x.size(2) + step - 1) // step):
    rows = torch.to(torch.slice(grouped, 3, i * step, (i + 1) * step), 6)
    variance, mean = torch.var_mean(rows, [2, 3, 4], False, False)  # (B, G)
    n = torch.full_like(mean, rows.size(2) * rows.size(3) * rows.size(4), dtype=7)
    part = torch.stack([n, torch.to(mean, 7), torch.to(variance, 7) * n], 0)  # (3, B, G)
    parts.append(part)
  return torch.unsqueeze(self.merge(torch.stack(parts, 0)), 0)

def merge(self, parts: Tensor) -> Tensor:
  # moments (P, 3, B, G) of parts -> (3, B, G) of all of them
  n = torch.select(parts, 1, 0)  # (P, B, G)
  means = torch.select(parts, 1, 1)  # (P, B, G)
  count = torch.sum(n, [0])  # (B, G)
  mean = torch.sum(n * means, [0]) / count  # (B, G)
  apart = means - mean  # (P, B, G)
  deviations = torch.sum(torch.select(parts, 1, 2) + n * apart * apart, [0])  # (B, G)
  return torch.stack([count, mean, deviations], 0)

def normalize_by(self, x: Tensor, parts: Tensor, w: Dict[str, Tensor], eps: float, silu: bool) -> Tensor:
  # x (B, C, H, W) normalised by the moments (P, 3, B, G) of the parts that the picture has
  count, mean, deviations = torch.unbind(self.merge(parts), 0)  # (B, G)
  rstd = torch.rsqrt(deviations / count + eps)  # (B, G)
  groups = rstd.size(1)
  weight = torch.unflatten(torch.to(w["norm.weight"], 7), 0, [groups, -1])  # (G, C/G)
  bias = torch.unflatten(torch.to(w["norm.bias"], 7), 0, [groups, -1])  # (G, C/G)
  scale = torch.unsqueeze(rstd, 2) * weight  # (B, G, C/G)
  shift = bias - torch.unsqueeze(mean, 2) * scale  # (B, G, C/G)
  scale = torch.to(torch.unsqueeze(torch.unsqueeze(torch.flatten(scale, 1), 2), 3), 6)  # (B, C, 1, 1)
  shift = torch.to(torch.unsqueeze(torch.unsqueeze(torch.flatten(shift, 1), 2), 3), 6)  # (B, C, 1, 1)
  y = torch.empty_like(x)
  step = self.rows_at_once(x)
  for i in range((x.size(2) + step - 1) // step):
    rows = torch.to(torch.slice(x, 2, i * step, (i + 1) * step), 6) * scale + shift
    if silu:
      rows = torch.silu_(rows)
    torch.copy_(torch.slice(y, 2, i * step, (i + 1) * step), rows)
  return y

def pixel_norm(self, x: Tensor, w: Dict[str, Tensor], silu: bool) -> Tensor:
  # x (B, C, H, W) -> the same with the root mean square of each position's channels being 1, times (C, 1, 1)
  length = torch.clamp_min(torch.linalg_vector_norm(x, 2, [1], True), 1e-12)
  y = torch.mul_(torch.mul_(x / length, float(x.size(1)) ** 0.5), w["norm.weight"])
  if silu:
    return torch.silu_(y)
  return y

def last_frame_of_norm(self, gamma: Tensor) -> Tensor:
  # (C, 1, 1, 1) -> (C, 1, 1), a view
  return torch.select(gamma, 1, 0)

def upsample(self, x: Tensor) -> Tensor:
  # (B, C, H, W) -> (B, C, 2·H, 2·W), each value four times
  return torch.upsample_nearest2d(x, [2 * x.size(2), 2 * x.size(3)])

def add_(self, x: Tensor, residual: Tensor) -> Tensor:
  # x + residual in x's memory, both (B, C, H, W)
  return torch.add_(x, residual)

def soften(self, x: Tensor) -> Tensor:
  # TAESD's latents (B, C, H, W), drawn into −3 to 3
  return torch.tanh(x / 3) * 3

def rectify_(self, x: Tensor) -> Tensor:
  # (B, C, H, W), in x's memory
  return torch.relu_(x)

def add_rectified_(self, x: Tensor, residual: Tensor) -> Tensor:
  # in x's memory, both (B, C, H, W)
  return torch.relu_(torch.add_(x, residual))

def around_zero(self, x: Tensor) -> Tensor:
  # TAESD's pixels of 0 to 1 -> of −1 to 1
  return torch.mul(x, 2).sub(1)

def ramp(self, size: int, blended: int, like: Tensor) -> Tensor:
  # (size) in fp32: 0 to 1 over the first `blended`, then 1
  return torch.clamp(torch.arange(size, dtype=6, device=like.device) / (blended - 1), 0, 1)

def paint(self, above: List[Tensor], tiles: List[Tensor], kept: int, blended: int) -> Tensor:
  # a row of tiles (B, 3, h, ≤ w), each painted over the one before it and all over the row above (B, 3, H', W), of which
  # `kept` rows stay as they are -> (B, 3, h, W) in fp32
  h = tiles[0].size(2)
  width = kept * (len(tiles) - 1) + tiles[-1].size(3)
  row = torch.zeros([tiles[0].size(0), tiles[0].size(1), h, width], dtype=6, device=tiles[0].device)
  down = torch.ones([h], dtype=6, device=tiles[0].device)
  if len(above) > 0:
    shared = torch.slice(above[0], 2, kept, kept + h)
    torch.copy_(torch.slice(row, 2, 0, shared.size(2)), shared)
    down = self.ramp(h, blended, row)
  for i in range(len(tiles)):
    w = tiles[i].size(3)
    across = torch.ones([w], dtype=6, device=row.device) if i == 0 else self.ramp(w, blended, row)
    mask = down.unsqueeze(1) * across.unsqueeze(0)
    part = torch.slice(row, 3, i * kept, i * kept + w)
    torch.copy_(part, mask * tiles[i] + (1 - mask) * part)
  return row

def tokens(self, x: Tensor) -> Tensor:
  # (B, C, H, W) -> (B, L, C) in the type of products
  return torch.to(torch.flatten(torch.permute(x, [0, 2, 3, 1]), 1, 2), self.product_type(x))

def keys_values(self, x: Tensor, w: Dict[str, Tensor]) -> List[Tensor]:
  # x (B, C, H, W) -> the keys and the values of its positions, each (B, L, C)
  tokens = self.tokens(x)  # (B, L, C)
  return [self.linear(tokens, w, "to_k"), self.linear(tokens, w, "to_v")]

def attend_to(self, x: Tensor, residual: Tensor, k: Tensor, v: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x, residual (B, C, H, W), keys and values (B, K, C) -> residual + attention of the positions of x, one head
  q = torch.unsqueeze(self.linear(self.tokens(x), w, "to_q"), 1)  # (B, 1, L, C)
  out = self.attend(q, torch.unsqueeze(k, 1), torch.unsqueeze(v, 1))  # (B, L, 1, C)
  y = torch.to(self.linear(torch.squeeze(out, 2), w, "to_out.0"), x.dtype)  # (B, L, C)
  return residual + torch.unflatten(torch.transpose(y, 1, 2), 2, [x.size(2), x.size(3)])

def attention(self, x: Tensor, residual: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x, residual (B, C, H, W) -> residual + attention over all L positions of x
  k, v = self.keys_values(x, w)  # (B, L, C)
  return self.attend_to(x, residual, k, v, w)

def kernel_over_rows(self, weight: Tensor) -> Tensor:
  # (O, C, K, 1, 1) -> (O, C, K, 1), a view
  return torch.flatten(weight, 3)

def kernel_of_first_frame(self, weight: Tensor) -> Tensor:
  # (O, C, F, KH, KW), whose last frame is the one that is seen -> (O, C, KH, KW)
  return torch.contiguous(torch.select(weight, 2, weight.size(2) - 1))

def point_as_matrix(self, weight: Tensor) -> Tensor:
  # (O, C, 1, 1) -> (O, C), a view
  return torch.flatten(weight, 1)

def frames_as_rows(self, x: Tensor) -> Tensor:
  # the frames of one video (F, C, H, W) -> one picture (1, C, F, H·W), channels-last as x is on the CPU: a view
  rows = torch.reshape(torch.permute(x, [0, 2, 3, 1]), [1, x.size(0), x.size(2) * x.size(3), x.size(1)])
  return torch.permute(rows, [0, 3, 1, 2])

def rows_as_frames(self, x: Tensor, height: int) -> Tensor:
  # (1, C, F, H·W) -> (F, C, H, W): a view
  return torch.unflatten(torch.transpose(torch.squeeze(x, 0), 0, 1), 2, [height, -1])

def mix(self, still: Tensor, moving: Tensor, factor: Tensor) -> Tensor:
  # still and moving (F, C, H, W), factor (1)
  share = 1.0 - torch.sigmoid(factor)
  return share * still + (1.0 - share) * moving

def window(self, x: Tensor, top: int, left: int, rows: int, columns: int) -> Tensor:
  # (B, C, H, W) -> its rows from top and columns from left, so many or what is left: a view
  return torch.slice(torch.slice(x, 2, top, top + rows), 3, left, left + columns)

def blend_(self, before: Tensor, tile: Tensor, dim: int, extent: int) -> Tensor:
  # The tile's first n rows (dim 2) or columns (dim 3) pass linearly from the end of the tile before it; in its memory.
  n = min(min(before.size(dim), tile.size(dim)), extent)
  ramp = torch.arange(n, dtype=7, device=tile.device) / n  # (n): 0, 1/n, ...
  if dim == 2:
    ramp = torch.unsqueeze(ramp, 1)  # (n, 1)
  end = torch.slice(before, dim, before.size(dim) - n, before.size(dim))  # n rows or columns
  start = torch.slice(tile, dim, 0, n)  # n rows or columns
  # Both products are rounded to the tile's type before they are added, as upstream's are.
  fading = torch.to(torch.to(end, 6) * torch.to(1 - ramp, 6), tile.dtype)
  coming = torch.to(torch.to(start, 6) * torch.to(ramp, 6), tile.dtype)
  torch.copy_(start, fading + coming)
  return tile
