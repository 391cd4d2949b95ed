# B batch, F frames, L tokens of this rank, C width, H heads, D head size. A temporal block has the layers of
# adaln.py's but attn2.

def attend_frames(self, qkv: Tensor, head: int, frames: int) -> Tensor:
  # qkv (B·F, L, 3·H·D), head is D -> (B·F, L, H·D): every token attends the frames of its own place. Tokens are the batch of
  # the attention: views for each video, as the tokens of several have no common stride.
  packed = qkv.view(-1, frames, qkv.size(1), 3, qkv.size(2) // (3 * head), head)
  out = torch.empty([packed.size(0), frames, qkv.size(1), packed.size(4), head], dtype=qkv.dtype, device=qkv.device)
  for b in range(packed.size(0)):
    p = packed[b].permute(2, 1, 3, 0, 4)  # (3, L, H, F, D)
    out[b].copy_(self.attend(p[0], p[1], p[2]).transpose(0, 1))  # (L, F, H, D) -> (F, L, H, D)
  return out.view(qkv.size(0), qkv.size(1), -1)

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (S, 6·C) of S steps -> shift, factor (1 + scale), gate twice (6, S, 1, C)
  return self.table_modulations(w["scale_shift_table"], t)

def temporal_block(self, x: Tensor, m: Tensor, positions: List[Tensor], w: Dict[str, Tensor], head: int, frames: int,
                   eps: float, terms: List[int]) -> Tensor:
  # x (B·F, L, C), m of modulation for one step, positions none or those of the frames (F, C) -> (B·F, L, C); two terms
  if self.adds(terms, 0):
    for p in positions:
      x = (x.unflatten(0, [-1, frames]) + p.unsqueeze(1)).flatten(0, 1)
    h = self.modulate(x, m[0], m[1], eps)
    attended = self.attend_frames(self.linear(h, w, "attn1.to_qkv"), head, frames)
    x = self.add_gated(x, self.linear(attended, w, "attn1.to_out.0"), m[2], terms, 0)
  if self.adds(terms, 1):
    n = self.modulate(x, m[3], m[4], eps)
    x = self.add_gated(x, self.mlp_gelu_tanh(n, w, "ff.net.0.proj", "ff.net.2"), m[5], terms, 1)
  return x
