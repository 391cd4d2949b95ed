# The layers of AutoencoderKL's decoder. Shapes: B pictures, C and O channels, H rows, W columns, L = H·W; F frames.
#
# On the CPU everything is laid out channels-last: oneDNN's convolutions then need no reordering. Half precision
# is multiplied in fp32 there, because without AVX512-FP16 libtorch's own half kernels are 10 to 200 times slower.

def enter(self, latents: Tensor, dtype: int, scaling: float, shift: float) -> Tensor:
  # latents (B, C, H, W), still scaled -> (B, C, H, W)
  x = torch.to(latents, dtype) / scaling + shift
  if x.is_cpu:
    return torch.contiguous(x, memory_format=2)
  return x

def product_type(self, x: Tensor) -> int:
  # the type in which x is multiplied
  if x.is_cpu and x.dtype == 5:
    return 6
  return x.dtype

def convolve(self, x: Tensor, weight: Tensor, bias: Tensor, padding: List[int]) -> Tensor:
  # x (B, C, H, W), weight (O, C, KH, KW), bias (O) -> (B, O, H, W)
  dtype = self.product_type(x)
  w = torch.to(weight, dtype)
  b = torch.to(bias, dtype)
  y = torch.conv2d(torch.to(x, dtype), w, b, [1, 1], padding, [1, 1], 1)
  return torch.to(y, x.dtype)

def normalize(self, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
  # x (B, C, H, W), weight and bias (C) -> (B, C, H, W)
  return torch.group_norm(x, groups, weight, bias, eps)

def normalize_silu(self, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
  return torch.silu_(self.normalize(x, weight, bias, groups, eps))

def upsample(self, x: Tensor) -> Tensor:
  # (B, C, H, W) -> (B, C, 2·H, 2·W), each value four times
  return torch.upsample_nearest2d(x, [2 * x.size(2), 2 * x.size(3)])

def add_(self, x: Tensor, residual: Tensor) -> Tensor:
  # x + residual in x's memory, both (B, C, H, W)
  return torch.add_(x, residual)

def attention(self, x: Tensor, residual: Tensor, weights: List[Tensor]) -> Tensor:
  # x, residual (B, C, H, W) -> residual + attention over all L positions of x, one head
  dtype = self.product_type(x)
  w = [torch.to(weight, dtype) for weight in weights]
  tokens = torch.to(torch.flatten(torch.permute(x, [0, 2, 3, 1]), 1, 2), dtype)  # (B, L, C)
  q = torch.unsqueeze(self.linear(tokens, w[0], w[1]), 1)  # (B, 1, L, C)
  k = torch.unsqueeze(self.linear(tokens, w[2], w[3]), 1)  # (B, 1, L, C)
  v = torch.unsqueeze(self.linear(tokens, w[4], w[5]), 1)  # (B, 1, L, C)
  out = torch.squeeze(torch.scaled_dot_product_attention(q, k, v), 1)  # (B, L, C)
  y = torch.to(self.linear(out, w[6], w[7]), x.dtype)  # (B, L, C)
  return residual + torch.unflatten(torch.transpose(y, 1, 2), 2, [x.size(2), x.size(3)])

def kernel_over_rows(self, weight: Tensor) -> Tensor:
  # (O, C, K, 1, 1) -> (O, C, K, 1), a view
  return torch.flatten(weight, 3)

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

def window(self, x: Tensor, top: int, left: int, size: int) -> Tensor:
  # (B, C, H, W) -> its rows from top and columns from left, size of each or what is left: a view
  return torch.slice(torch.slice(x, 2, top, top + size), 3, left, left + size)

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
