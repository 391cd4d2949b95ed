# B batch, L tokens, H heads, D head size. A packed buffer is (B, L, 3, H, D) or, without queries, (B, L, 2, H, D).

def queries(self, packed: Tensor) -> Tensor:
  # (B, L, 3, H, D) -> (B, H, L, D)
  return packed.select(2, 0).transpose(1, 2)

def key_values(self, packed: Tensor, text: int) -> Tensor:
  # (B, T + L, 2 or 3, H, D) -> (B, L, 2, H, D) without the text, contiguous, to be sent
  return packed.slice(1, text, packed.size(1)).slice(2, packed.size(2) - 2, packed.size(2)).contiguous()

def local(self, packed: Tensor) -> Tensor:
  # (B, L, 3, H, D) -> (B, L, H, D)
  return self.attend(self.queries(packed), packed.select(2, 1).transpose(1, 2), packed.select(2, 2).transpose(1, 2))

def cached(self, packed: Tensor, buffer: Tensor, filled: int) -> Tensor:
  # queries of packed over the first `filled` tokens of buffer (B, p, 2, H, D) -> (B, L, H, D)
  kv = buffer.slice(1, 0, filled)
  return self.attend(self.queries(packed), kv.select(2, 0).transpose(1, 2), kv.select(2, 1).transpose(1, 2))

def new_buffer(self, like: Tensor, tokens: int) -> Tensor:
  # (B, L, 2 or 3, H, D) -> (B, tokens, 2, H, D)
  return torch.empty([like.size(0), tokens, 2, like.size(3), like.size(4)], dtype=like.dtype, device=like.device)

def store(self, buffer: Tensor, kv: Tensor, bounds: List[int]) -> Tensor:
  # writes kv (B, L, 2 or 3, H, D) piece by piece into buffer[:, bounds[2·i]:bounds[2·i + 1]]
  fresh = kv.slice(2, kv.size(2) - 2, kv.size(2))
  done = 0
  for i in range(0, len(bounds), 2):
    length = bounds[i + 1] - bounds[i]
    buffer.slice(1, bounds[i], bounds[i + 1]).copy_(fresh.slice(1, done, done + length))
    done = done + length
  return buffer

def partial(self, packed: Tensor, kv: Tensor) -> Tuple[Tensor, Tensor]:
  # attention over some of the keys: values (B, H, L, D) and log-sum-exp of the scores (B, H, L, 1), both fp32
  k = kv.select(2, kv.size(2) - 2).transpose(1, 2)
  v = kv.select(2, kv.size(2) - 1).transpose(1, 2)
  q = self.queries(packed)
  if self.widens(q, q.size(2)):
    q, k, v = torch.to(q, 6), torch.to(k, 6), torch.to(v, 6)
  out, lse = torch._scaled_dot_product_flash_attention_for_cpu(q, k, v)
  return (torch.to(out, 6), torch.to(lse, 6).unsqueeze(3))

def merge(self, packed: Tensor, kv: Tensor, out: Tensor, lse: Tensor) -> Tuple[Tensor, Tensor]:
  # as if computed over the union of both sets of keys: algorithms from Ring Attention (arXiv 2310.01889)
  other, other_lse = self.partial(packed, kv)
  merged = out - torch.sigmoid(other_lse - lse) * (out - other)
  return (merged, lse - torch.log_sigmoid(lse - other_lse))

def finish(self, out: Tensor, like: Tensor) -> Tensor:
  # (B, H, L, D) fp32 -> (B, L, H, D) in the type of like
  return torch.to(out.transpose(1, 2), like.dtype).contiguous()
