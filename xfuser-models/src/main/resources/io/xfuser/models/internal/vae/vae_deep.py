# The layers of AutoencoderDC (arXiv 2410.10733) that AutoencoderKL does not have. B pictures, C channels, H rows, W columns;
# of attention I the inner width, D the width of a head, G heads, of all scales.

def activated(self, x: Tensor, activation: str) -> Tensor:
  return torch.relu(x) if activation == "relu" else torch.silu(x)

def row(self, v: Tensor) -> Tensor:
  # (C) -> (1, C, 1, 1)
  return v.view([1, -1, 1, 1])

def normed(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, C, H, W): by what was measured of each channel, or each position divided by the root mean square of its channels
  if "norm.mean" in w:
    factor = torch.to(w["norm.weight"], 6) * torch.rsqrt(torch.to(w["norm.variance"], 6) + 1e-5)
    shift = torch.to(w["norm.bias"], 6) - torch.to(w["norm.mean"], 6) * factor
    return torch.to(x * self.row(factor) + self.row(shift), x.dtype)
  variance = torch.to(x, 6).square().mean([1], True)
  y = torch.to(x * torch.rsqrt(variance + 1e-5), x.dtype)
  return y * self.row(w["norm.weight"]) + self.row(w["norm.bias"])

def normed_activated(self, x: Tensor, w: Dict[str, Tensor], activation: str) -> Tensor:
  return self.activated(self.normed(x, w), activation)

def normed_added(self, x: Tensor, residual: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return self.normed(x, w) + residual

def halved(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, C, 1 + H + 1, W) -> (B, O, H/2, W/2)
  return self.convolve_by(torch.constant_pad_nd(x, [1, 1]), w, "conv", [0, 0], 2)

def inverted(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, C, H, W) -> (B, 8·C, H, W)
  return torch.silu(self.convolve(x, w, "conv_inverted", [0, 0]))

def gated(self, h: Tensor, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # h (B, 8·C, 1 + H + 1, W) of x (B, C, H, W) -> (B, C, H, W)
  values, gates = torch.chunk(self.convolve_depthwise(h, w, "conv_depth", 3, [0, 1]), 2, 1)
  return self.normed_added(self.convolve(values * torch.silu(gates), w, "conv_point", [0, 0]), x, w)

def repeated(self, x: Tensor, times: int) -> Tensor:
  # (B, C, H, W) -> (B, C·times, H, W), each channel after itself
  return x.repeat_interleave(times, 1)

def averaged(self, x: Tensor, group: int) -> Tensor:
  # (B, C, H, W) -> (B, C/group, H, W), means of neighbouring channels
  return x.unflatten(1, [-1, group]).mean([2])

def shuffled(self, x: Tensor) -> Tensor:
  # (B, 4·C, H, W) -> (B, C, 2·H, 2·W)
  return torch.pixel_shuffle(x, 2)

def unshuffled(self, x: Tensor) -> Tensor:
  # (B, C, H, W) -> (B, 4·C, H/2, W/2)
  return torch.pixel_unshuffle(x, 2)

def shuffled_repeats(self, x: Tensor, times: int) -> Tensor:
  # (B, C, H, W) -> (B, C·times/4, 2·H, 2·W)
  return self.shuffled(self.repeated(x, times))

def averaged_unshuffled(self, x: Tensor, group: int) -> Tensor:
  # (B, C, H, W) -> (B, 4·C/group, H/2, W/2)
  return self.averaged(self.unshuffled(x), group)

def projected(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, C, H, W) -> queries, keys, values (B, 3·I, H, W)
  tokens = x.permute([0, 2, 3, 1])
  qkv = torch.cat([self.linear(tokens, w, "to_q"), self.linear(tokens, w, "to_k"), self.linear(tokens, w, "to_v")], 3)
  return qkv.permute([0, 3, 1, 2])

def scaled(self, packed: Tensor, w: Dict[str, Tensor], first: str, second: str, side: int, head: int) -> Tensor:
  # packed (B, 3·I, n + H + n, W), n half of a kernel's side -> (B, 3·I, H, W), channels mixed within each `head` of them
  x = self.convolve_depthwise(packed, w, first, side, [0, side // 2])
  mixed = self.matmul(w[second + ".weight"].reshape([-1, head, head]), x.reshape([x.size(0), -1, head, x.size(2) * x.size(3)]))
  return mixed.reshape(x.size())

def heads(self, scales: List[Tensor], head: int) -> Tensor:
  # each (B, 3·I, H, W) -> queries, keys, values of each head (B, G, 3·D, H·W) fp32
  x = torch.to(torch.cat(scales, 1), 6)
  return x.reshape([x.size(0), -1, 3 * head, x.size(2) * x.size(3)])

def sums(self, heads: Tensor) -> Tensor:
  # of the positions of heads (B, G, 3·D, L) the products of values and keys, and the keys themselves: (1, B, G, D + 1, D)
  query, key, value = torch.chunk(heads, 3, 2)
  values = torch.constant_pad_nd(value, [0, 0, 0, 1], 1)
  return self.matmul(values, torch.relu(key).transpose(2, 3)).unsqueeze(0)

def attended(self, heads: Tensor, sums: Tensor, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # heads (B, G, 3·D, H·W), sums (strips, B, G, D + 1, D), x (B, C, H, W) -> (B, C, H, W)
  query = torch.relu(heads.slice(2, 0, heads.size(2) // 3))
  h = self.matmul(sums.sum([0]), query)  # (B, G, D + 1, H·W)
  y = h.slice(2, 0, h.size(2) - 1) / (h.slice(2, h.size(2) - 1, h.size(2)) + 1e-15)
  tokens = torch.to(y, x.dtype).flatten(1, 2).transpose(1, 2)  # (B, H·W, G·D)
  out = self.linear(tokens, w, "to_out").transpose(1, 2).unflatten(2, [x.size(2), x.size(3)])
  return self.normed_added(out, x, w)
