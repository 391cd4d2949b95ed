# How tensors change from step to step, in few bits (CompactFusion, arXiv 2507.17511). x and base (B, L, 2, H, D), C = 2·H·D.
# A change is a whole number of units and a half; a unit is row·column·step: the mean change of a token, how a channel's compares
# with the others', and what serves a number of `bits` best. Codes are packed, the first of a byte in its lowest bits.

def step(self, bits: int) -> float:
  # of units in the mean change: for 1 bit ± the mean; for more by the best of Lloyd-Max for bell curves, a little wider
  if bits == 1:
    return 2.
  return 1.25 if bits == 2 else 0.45

def units(self, rows: Tensor, columns: Tensor, bits: int) -> Tensor:
  # rows (B, L, 1), columns (B, 1, C) -> (B, L, C) fp32
  return (torch.to(rows, 6) * torch.to(columns, 6) * self.step(bits)).clamp_min(1e-30)

def packed(self, codes: Tensor, bits: int) -> Tensor:
  # codes (B, n) uint8 below 2^bits -> (B, ⌈n·bits / 8⌉) uint8
  each = 8 // bits
  wide = torch.constant_pad_nd(codes, [0, (each - codes.size(1) % each) % each], 0).unflatten(1, [-1, each])
  out = wide.select(2, 0)
  for i in range(1, each):
    out = out + wide.select(2, i) * (1 << (bits * i))
  return out.contiguous()

def unpacked(self, bytes: Tensor, count: int, bits: int) -> Tensor:
  # the reverse, the first `count` codes (B, count)
  codes = [torch.bitwise_and(torch.bitwise_right_shift(bytes, bits * i), (1 << bits) - 1) for i in range(8 // bits)]
  return torch.stack(codes, 2).flatten(1).slice(1, 0, count)

def encoded(self, x: Tensor, base: Tensor, bits: int) -> Tuple[Tensor, Tensor, Tensor]:
  # -> codes (B, ⌈L·C·bits / 8⌉) uint8, rows (B, L, 1) and columns (B, 1, C) bf16
  change = (torch.to(x, 6) - torch.to(base, 6)).flatten(2)
  size = torch.abs(change)
  rows = size.mean([2], True)
  columns = size.mean([1], True) / rows.mean([1], True).clamp_min(1e-30)
  rows, columns = torch.to(rows, 15), torch.to(columns, 15)
  half = 1 << (bits - 1)
  codes = (torch.floor(change / self.units(rows, columns, bits)) + half).clamp(0, 2 * half - 1)
  return (self.packed(torch.to(codes, 0).flatten(1), bits), rows, columns)

def decoded(self, base: Tensor, message: List[Tensor], bits: int) -> Tensor:
  # base with the change that encoded gave, in base's type
  units = self.units(message[1], message[2], bits)
  codes = self.unpacked(message[0], units.size(1) * units.size(2), bits).view(units.size())
  change = (torch.to(codes, 6) + (0.5 - (1 << (bits - 1)))) * units
  return torch.to(torch.to(base, 6) + change.view(base.size()), base.dtype)
