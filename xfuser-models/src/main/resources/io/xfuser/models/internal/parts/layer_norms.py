# Norms of queries and keys by mean and deviation of each head. B batch, l tokens, H heads, D head size.

def layer_norm_rotate_(self, packed: Tensor, rotation: List[Tensor], w: Dict[str, Tensor], norm: str, eps: float) -> Tensor:
  # in the place of the queries and keys of packed (B, l, 3, H, D): normed by weights and biases (2, D); then the last L of the l
  # tokens are turned by rotation, none or (L, D/2, 2)
  weight, bias = w[norm + ".weight"], w[norm + ".bias"]
  if packed.is_cpu:
    for i in range(2):
      x = packed.select(2, i)  # (B, l, H, D)
      n = torch.layer_norm(x, [x.size(3)], weight[i], bias[i], eps)
      for turns in rotation:
        n = torch.to(n, 6)
        self.turn_(n.unsqueeze(2), turns)
      x.copy_(n)
    return packed
  # CUDA takes both at once, and converts to fp32 in the kernel that multiplies; what is a part of packed it would copy
  # first, and norming the values too moves less
  qk = packed.slice(2, 0, 2)  # (B, l, 2, H, D)
  wide = torch.empty(qk.size(), dtype=6, device=qk.device)
  whole = packed if packed.is_contiguous() else qk
  normed = torch.layer_norm(whole, [qk.size(4)], None, None, eps).slice(2, 0, 2)
  torch.addcmul(bias.unsqueeze(1), normed, weight.unsqueeze(1), out=wide)
  for turns in rotation:
    self.turn_(wide, turns)
  qk.copy_(wide)
  return packed
