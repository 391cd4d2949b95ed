# Joined to every program. Shapes: B batch, L tokens (Lq queries, Lk keys), H heads, D head size, C width.

def split_heads(self, x: Tensor, heads: int) -> Tensor:
  # (B, L, H·D) -> (B, H, L, D)
  return x.unflatten(2, [heads, -1]).transpose(1, 2)

def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
  # q (B, H, Lq, D), k and v (B, H, Lk, D) -> (B, Lq, H, D)
  out = torch.scaled_dot_product_attention(q, k, v)
  return torch.transpose(out, 1, 2)

def modulate(self, x: Tensor, shift: Tensor, scale_plus_one: Tensor, eps: float) -> Tensor:
  # adaLN: LN(x)·(1 + scale) + shift in one kernel; all batch rows share shift and scale, both (C)
  return torch.layer_norm(x, [x.size(2)], scale_plus_one, shift, eps)
