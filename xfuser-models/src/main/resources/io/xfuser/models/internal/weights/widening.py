def scaled(self, x: Tensor, scale: Tensor, place: List[int], dtype: int) -> Tensor:
  # x (n, ...) fp32, a part of what the scales are for; scale fp32 of one number, of one for each row, or (N/r, K/k)
  # place: the part's first row, r, its first column, k; r is 0 for one number, k for rows
  row, r, column, k = place
  if r == 0:
    return (x * scale.reshape([])).to(dtype)
  rows = torch.div(torch.arange(row, row + x.size(0), device=x.device), r, rounding_mode="floor")
  if k == 0:
    each = scale.reshape([-1])[rows]
    return (x * each.reshape([-1] + [1] * (x.dim() - 1))).to(dtype)
  columns = torch.div(torch.arange(column, column + x.size(1), device=x.device), k, rounding_mode="floor")
  return (x * scale[rows][:, columns]).to(dtype)

def widened(self, rows: Tensor, format: List[int], dtype: int) -> Tensor:
  # rows (n, bytes) of GGUF's blocks, uint8 -> (n, numbers)
  # format: its number, bytes of a block, blocks at a time, so few that what lies between stays small
  kind, each, step = format
  n = rows.size(0)
  count = n * (rows.size(1) // each)
  if count == 0:
    return torch.empty([n, 0], dtype=dtype, device=rows.device)
  blocks = rows.reshape([count, each])
  first = self.block(blocks[:step], kind)
  if count <= step:
    return first.to(dtype).reshape([n, -1])
  y = torch.empty([count, first.size(1)], dtype=dtype, device=rows.device)
  torch.copy_(y[:step], first)
  for i in range(1, (count + step - 1) // step):
    torch.copy_(y[i * step : (i + 1) * step], self.block(blocks[i * step : (i + 1) * step], kind))
  return y.reshape([n, -1])

def block(self, b: Tensor, kind: int) -> Tensor:
  # (n, bytes) -> (n, numbers), fp32: gguf-py's quants.py, number for number
  if kind == 2:
    return self.half(b[:, :2]) * (self.nibbles(b[:, 2:], 16) - 8.0)
  if kind == 3:
    return self.half(b[:, :2]) * self.nibbles(b[:, 4:], 16) + self.half(b[:, 2:4])
  if kind == 6:
    return self.half(b[:, :2]) * (self.nibbles(b[:, 6:], 16) + self.fifth(b[:, 2:6]) - 16.0)
  if kind == 7:
    return self.half(b[:, :2]) * (self.nibbles(b[:, 8:], 16) + self.fifth(b[:, 4:8])) + self.half(b[:, 2:4])
  if kind == 8:
    return self.signed(b[:, 2:]) * self.half(b[:, :2])
  if kind == 10:
    return self.q2(b)
  if kind == 11:
    return self.q3(b)
  if kind == 14:
    return self.q6(b)
  return self.q45(b, kind)

def half(self, x: Tensor) -> Tensor:
  # (n, 2) bytes -> (n, 1) numbers
  return self.view(torch.clone(x).contiguous(), 0, [x.size(0), 1], 5).to(6)

def signed(self, x: Tensor) -> Tensor:
  # bytes as numbers of -128 to 127
  return x.to(1).to(6)

def bits(self, x: Tensor, group: int, width: int) -> Tensor:
  # (n, m) bytes -> (n, m / group, 8 / width, group): of each group its lowest bits, then the next ones
  g = x.reshape([x.size(0), -1, group])
  mask = (1 << width) - 1
  return torch.stack([torch.bitwise_right_shift(g, s) & mask for s in range(0, 8, width)], 2)

def nibbles(self, x: Tensor, group: int) -> Tensor:
  # (n, m) -> (n, 2·m)
  return self.bits(x, group, 4).reshape([x.size(0), -1]).to(6)

def fifth(self, x: Tensor) -> Tensor:
  # (n, 4) bytes -> (n, 32): bit i of 32, times 16
  return self.bits(x, 1, 1).reshape([x.size(0), 32]).to(6) * 16.0

def scales45(self, s: Tensor) -> List[Tensor]:
  # (n, 12) bytes -> 8 scales and 8 minima of 6 bits each
  d = s[:, :4]
  m = s[:, 4:8]
  h = s[:, 8:]
  scale = torch.cat([d & 63, (h & 15) + 16 * torch.bitwise_right_shift(d, 6)], 1)
  least = torch.cat([m & 63, torch.bitwise_right_shift(h, 4) + 16 * torch.bitwise_right_shift(m, 6)], 1)
  return [scale.to(6), least.to(6)]

def q45(self, b: Tensor, kind: int) -> Tensor:
  n = b.size(0)
  s = self.scales45(b[:, 4:16])
  scale = (self.half(b[:, :2]) * s[0]).reshape([n, 8, 1])
  least = (self.half(b[:, 2:4]) * s[1]).reshape([n, 8, 1])
  if kind == 12:
    q = self.bits(b[:, 16:], 32, 4).reshape([n, 8, 32])
  else:
    q = self.bits(b[:, 48:], 32, 4).reshape([n, 8, 32]) + 16 * self.bits(b[:, 16:48], 32, 1).reshape([n, 8, 32])
  return (scale * q.to(6) - least).reshape([n, 256])

def q6(self, b: Tensor) -> Tensor:
  n = b.size(0)
  scale = (self.half(b[:, 208:]) * self.signed(b[:, 192:208])).reshape([n, 16, 1])
  low = self.bits(b[:, :128], 64, 4).reshape([n, 8, 32])
  high = self.bits(b[:, 128:192], 32, 2).reshape([n, 8, 32])
  q = (low + 16 * high).reshape([n, 16, 16]).to(6) - 32.0
  return (scale * q).reshape([n, 256])

def q2(self, b: Tensor) -> Tensor:
  n = b.size(0)
  s = b[:, :16]
  scale = (self.half(b[:, 80:82]) * (s & 15).to(6)).reshape([n, 16, 1])
  least = (self.half(b[:, 82:]) * torch.bitwise_right_shift(s, 4).to(6)).reshape([n, 16, 1])
  q = self.bits(b[:, 16:80], 32, 2).reshape([n, 16, 16]).to(6)
  return (scale * q - least).reshape([n, 256])

def q3(self, b: Tensor) -> Tensor:
  n = b.size(0)
  low = self.bits(b[:, 96:104], 8, 4).reshape([n, 16])
  high = self.bits(b[:, 104:108], 4, 2).reshape([n, 16])
  scale = (self.half(b[:, 108:]) * ((low + 16 * high).to(6) - 32.0)).reshape([n, 16, 1])
  q = self.bits(b[:, 32:96], 32, 2).reshape([n, 16, 16]).to(6)
  # the offset is taken where the bit is not set
  unset = (self.bits(b[:, :32], 32, 1).reshape([n, 16, 16]) ^ 1).to(6)
  return (scale * (q - 4.0 * unset)).reshape([n, 256])
