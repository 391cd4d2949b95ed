# B batch, F frames, L tokens of this rank, C width, H heads, D head size.
# A temporal block's weights, in order:
#  0 scale_shift_table (6, C)
#  1 Q/K/V (3C, C)   2 its bias   3 attention output (C, C)   4 its bias
#  5 MLP in (4C, C)  6 its bias   7 MLP out (C, 4C)           8 its bias

def attend_frames(self, qkv: Tensor, heads: int, frames: int) -> Tensor:
  # qkv (B·F, L, 3C) -> (B·F, L, C): every token attends the frames of its own place. Tokens are the batch of the
  # attention: views for each video, as the tokens of several have no common stride.
  packed = qkv.view(-1, frames, qkv.size(1), 3, heads, qkv.size(2) // (3 * heads))
  out = torch.empty([packed.size(0), frames, qkv.size(1), heads, packed.size(5)], dtype=qkv.dtype, device=qkv.device)
  for b in range(packed.size(0)):
    p = packed[b].permute(2, 1, 3, 0, 4)  # (3, L, H, F, D)
    out[b].copy_(self.attend(p[0], p[1], p[2]).transpose(0, 1))  # (L, F, H, D) -> (F, L, H, D)
  return out.view(qkv.size(0), qkv.size(1), -1)

def temporal_block(self, x: Tensor, t: Tensor, positions: List[Tensor], w: List[Tensor], heads: int, frames: int,
                   eps: float) -> Tensor:
  # x (B·F, L, C), t (6, C), positions none or those of the frames (F, C) -> (B·F, L, C)
  for p in positions:
    x = (x.unflatten(0, [-1, frames]) + p.unsqueeze(1)).flatten(0, 1)
  m = w[0] + t
  h = self.modulate(x, m[0], 1 + m[1], eps)
  attended = self.attend_frames(self.linear(h, w[1], w[2]), heads, frames)
  h = torch.addcmul(x, self.linear(attended, w[3], w[4]), m[2])
  n = self.modulate(h, m[3], 1 + m[4], eps)
  return torch.addcmul_(h, self.mlp_gelu_tanh(n, w[5], w[6], w[7], w[8]), m[5])
