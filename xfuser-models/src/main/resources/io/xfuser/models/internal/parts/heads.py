# Norms of queries and keys by the root mean square of all heads together, whose squares the shares of a block add up. B batch,
# l tokens, H heads of this share, D head size; of what is packed (B, l, n, H, D) the first k of n have norms.

def squares_of(self, packed: Tensor, norms: int) -> Tensor:
  # -> sums of squares (B, l, k) fp32
  lengths = torch.linalg_vector_norm(packed.slice(2, 0, norms).flatten(3), 2, [-1], False, dtype=6)
  return lengths.square()

def norm_heads_(self, packed: Tensor, squares: Tensor, width: int, weight: Tensor, rotation: List[Tensor], eps: float) -> Tensor:
  # in the place of the first k of packed, of which these are the squares (B, l, k) of all shares, whose heads are together so
  # wide: normed by weight (k, H, D), and turned by rotation, none or (l, D/2, 2). In fp32 where they are turned.
  first = packed.slice(2, 0, squares.size(2))
  factor = torch.rsqrt(squares / width + eps).unsqueeze(-1).unsqueeze(-1)  # (B, l, k, 1, 1)
  if len(rotation) == 0:
    first.mul_(factor).mul_(weight)
    return packed
  if not packed.is_cpu:
    # CUDA converts in the kernels: the weight on the way to fp32, the factor, which turning leaves alone, on the way back
    turned = torch.mul(first, torch.to(weight, 6))
    torch.mul(self.turn_(turned, rotation[0]), factor, out=first)
    return packed
  wide = torch.to(first, 6)
  self.turn_(wide.mul_(factor).mul_(weight), rotation[0])
  if packed.dtype != 6:
    first.copy_(wide)
  return packed
