# B batch, L tokens (Lq queries, Lk keys), H heads, D head size. A packed buffer is (B, L, 3, H, D) or, without queries,
# (B, L, 2, H, D). kernel is the name of an AttentionKernel.java. The first `text` queries and the first T keys are those of the
# text; mask is none, or that of these keys (B, T) and of these queries (B, text), as Qkv.java has it.

def queries(self, packed: Tensor) -> Tensor:
  # (B, L, 3, H, D) -> (B, H, L, D)
  return packed.select(2, 0).transpose(1, 2)

def key_values(self, packed: Tensor) -> Tensor:
  # (B, L, 2 or 3, H, D) -> (B, L, 2, H, D), contiguous, to be sent
  return packed.slice(2, packed.size(2) - 2, packed.size(2)).contiguous()

def dense(self, x: Tensor) -> Tensor:
  # (B, L, H, D) without gaps, as kernels give it: in this order or, where the queries lie so, tokens_first (prelude.py)
  return x if x.transpose(0, 1).is_contiguous() else x.contiguous()

def local(self, packed: Tensor, mask: List[Tensor], text: int, kernel: str) -> Tensor:
  # (B, L, 3, H, D) -> (B, L, H, D)
  return self.attend_packed(packed, packed, mask, text, kernel)

def cached(self, packed: Tensor, buffer: Tensor, filled: int, mask: List[Tensor], text: int, kernel: str) -> Tensor:
  # queries of packed over the first `filled` tokens of buffer (B, p, 2, H, D) -> (B, L, H, D)
  return self.attend_packed(packed, buffer.slice(1, 0, filled), mask, text, kernel)

def weighed(self, mask: List[Tensor]) -> bool:
  # whether what is added to a score depends on its query too
  return len(mask) > 0 and mask[0].is_floating_point()

def wide_bias(self, mask: Tensor, keys: int, dtype: int) -> Tensor:
  # what is added to the scores of the image's queries, of so many keys and more: (B, 1, 1, a multiple of 16), as kernels on
  # CUDA want the rows of it to begin (pad_bias in libtorch's aten/src/ATen/native/transformers/attention.cpp)
  if mask.is_floating_point():
    text = torch.to(mask - 1, dtype)
  else:
    text = torch.zeros_like(mask, dtype=dtype).masked_fill(mask == 0, -float("inf"))
  wide = torch.constant_pad_nd(text, [0, (keys + 15) // 16 * 16 - mask.size(1)], 0)
  return wide.unsqueeze(1).unsqueeze(1)

def bias(self, mask: List[Tensor], keys: int, dtype: int) -> List[Tensor]:
  # the same of these keys alone: none or (B, 1, 1, keys)
  return [self.wide_bias(m, keys, dtype).slice(3, 0, keys) for m in mask[:1]]

def text_bias(self, mask: List[Tensor], keys: int, dtype: int) -> List[Tensor]:
  # what is added to the scores of the text's queries, if they have weights: (B, 1, text, keys)
  weights = torch.to(mask[1], dtype).unsqueeze(1).unsqueeze(3)
  return [(weights * self.wide_bias(mask[0], keys, dtype)).slice(3, 0, keys)]

def attend_packed(self, packed: Tensor, kv: Tensor, mask: List[Tensor], text: int, kernel: str) -> Tensor:
  # queries of packed (B, L, 3, H, D), kv (B, Lk, 2 or 3, H, D) -> (B, L, H, D)
  if kernel == "fastest" and len(mask) == 0:
    k, v = kv.select(2, kv.size(2) - 2).transpose(1, 2), kv.select(2, kv.size(2) - 1).transpose(1, 2)
    return self.dense(self.attend(self.queries(packed), k, v))
  dtype = self.product_type(packed)
  bias = self.bias(mask, kv.size(1), dtype)
  if text == 0 or not self.weighed(mask):
    return self.attend_rows(packed, kv, bias, kernel)
  of_text = self.attend_rows(packed.slice(1, 0, text), kv, self.text_bias(mask, kv.size(1), dtype), kernel)
  return torch.cat([of_text, self.attend_rows(packed.slice(1, text, packed.size(1)), kv, bias, kernel)], 1)

def attend_rows(self, packed: Tensor, kv: Tensor, bias: List[Tensor], kernel: str) -> Tensor:
  # the same with what is added to the scores
  parts = kv.size(2)
  q, k, v = self.queries(packed), kv.select(2, parts - 2).transpose(1, 2), kv.select(2, parts - 1).transpose(1, 2)
  dtype = self.product_type(q)
  if kernel == "fastest" or kernel == "sdpa":
    return self.dense(self.attend_masked(q, k, v, bias))
  q, k, v = torch.to(q, dtype), torch.to(k, dtype), torch.to(v, dtype)
  if kernel == "sdpa_math":
    out = torch._scaled_dot_product_attention_math(q, k, v, self.one(bias))[0]
  else:
    out = self.fused(q, k, v, bias, kernel, False)[0]
  return self.dense(torch.to(out.transpose(1, 2), packed.dtype))

def one(self, bias: List[Tensor]) -> Optional[Tensor]:
  out = annotate(Optional[Tensor], None)
  for b in bias:
    out = b
  return out

def fused(self, q: Tensor, k: Tensor, v: Tensor, bias: List[Tensor], kernel: str, sums: bool) -> Tuple[Tensor, Tensor]:
  # q (B, H, Lq, D), k and v (B, H, Lk, D), bias none or (B, 1, 1 or Lq, Lk) -> values (B, H, Lq, D) and, with sums, the log-sum-exp of the scores
  # (B, H, Lq, 1) in fp32, else of any shape. What kernels give is in libtorch's torch/_meta_registrations.py; they all scale
  # the scores before they sum them and take the natural logarithm.
  if q.is_cpu:
    # (B, H, Lq)
    out, lse = torch._scaled_dot_product_flash_attention_for_cpu(q, k, v, attn_mask=self.one(bias))
    return (out, lse.unsqueeze(3))
  d = q.size(3)
  if d % 8 != 0:
    # Heads are of 8·n elements (aten/src/ATen/native/transformers/cuda/{flash_attn/flash_api.cpp, sdp_utils.cpp});
    # zeros leave the scores as they are.
    q, k, v = [torch.constant_pad_nd(x, [0, 8 - d % 8], 0) for x in [q, k, v]]
  scale = float(d) ** -0.5
  added = self.one([b.expand([-1, q.size(1), q.size(2), -1]) for b in bias])
  if kernel == "sdpa_flash" and len(bias) == 0:
    # (B, H, Lq)
    out, lse, _0, _1, _2, _3, _4, _5, _6 = torch._scaled_dot_product_flash_attention(q, k, v, 0., False, False, scale=scale)
  elif kernel == "sdpa_efficient" or kernel == "sdpa_flash":
    # FlashAttention takes no mask
    # (B, H, the next multiple of 32 after Lq)
    out, lse, _4, _5 = torch._scaled_dot_product_efficient_attention(q, k, v, added, sums, 0., False, scale=scale)
  else:
    # (B, H, Lq), in later versions (B, H, Lq, 1)
    out, lse, _0, _1, _2, _3, _4, _5, _6 = torch._scaled_dot_product_cudnn_attention(q, k, v, added, sums, 0., False, False, scale=scale)
  if sums:
    lse = lse.flatten(2).slice(2, 0, q.size(2)).unsqueeze(3)
  return (out.slice(3, 0, d), lse)

def by_products(self, q: Tensor, k: Tensor, v: Tensor, bias: List[Tensor]) -> Tuple[Tensor, Tensor]:
  # the same in three operators and fp32
  scores = self.matmul(torch.to(q, 6) * (float(q.size(3)) ** -0.5), torch.to(k, 6).transpose(2, 3))  # (B, H, Lq, Lk)
  for b in bias:
    scores = scores + b
  lse = torch.logsumexp(scores, [3], True)
  return (self.matmul(torch.exp(scores - lse), torch.to(v, 6)), lse)

def summing_kernel(self, q: Tensor, k: Tensor, v: Tensor, kernel: str) -> str:
  # Which kernel gives log-sum-exps where libtorch may choose: its own choice without them, by type, head size and GPU
  # (c10's SDPBackend: 1 flash, 2 efficient, 3 cuDNN); on the CPU the fused one.
  if kernel != "fastest" and kernel != "sdpa":
    return kernel
  if q.is_cpu:
    return "sdpa_flash"
  choice = torch._fused_sdp_choice(q, k, v)
  if choice == 1:
    return "sdpa_flash"
  if choice == 2:
    return "sdpa_efficient"
  if choice == 3:
    return "cudnn"
  return "sdpa_math"

def with_values(self, others: List[Tensor], values: List[Tensor], text: List[Tensor]) -> Tensor:
  # queries and keys (B, li, 2, H, D) and values (B, li, 1, H, D), in order, behind what is complete (B, ti, 3, H, D)
  # -> (B, T + L, 3, H, D)
  tokens = 0
  for x in values + text:
    tokens = tokens + x.size(1)
  like = values[0]
  out = torch.empty([like.size(0), tokens, 3, like.size(3), like.size(4)], dtype=like.dtype, device=like.device)
  done = 0
  for x in text:
    self.put(out, done, x)
    done = done + x.size(1)
  for i in range(len(values)):
    part = out.slice(1, done, done + values[i].size(1))
    part.slice(2, 0, 2).copy_(others[i])
    part.slice(2, 2, 3).copy_(values[i])
    done = done + values[i].size(1)
  return out

def room(self, like: Tensor, tokens: int) -> Tensor:
  # for so many tokens like (B, L, n, H, D)
  return torch.empty([like.size(0), tokens, like.size(2), like.size(3), like.size(4)], dtype=like.dtype, device=like.device)

def put(self, buffer: Tensor, start: int, fresh: Tensor) -> Tensor:
  # fresh (B, L, ...) in the place of as many tokens of buffer
  return buffer.slice(1, start, start + fresh.size(1)).copy_(fresh)

def put_parts(self, buffer: Tensor, part: int, start: int, fresh: Tensor) -> Tensor:
  # fresh (B, L, n, H, D), n of queries, keys and values from `part` on, in the place of as many tokens of buffer (B, p, 3, H, D)
  return buffer.slice(2, part, part + fresh.size(2)).slice(1, start, start + fresh.size(1)).copy_(fresh)

def at(self, places: Tensor, like: Tensor) -> Tensor:
  # places (B, k) as an index of tokens like (B, L, n, H, D)
  wide = torch.to(places, 4).unsqueeze(2).unsqueeze(3).unsqueeze(4)
  return wide.expand([-1, -1, like.size(2), like.size(3), like.size(4)])

def put_at(self, buffer: Tensor, part: int, places: Tensor, fresh: Tensor) -> Tensor:
  # fresh (B, k, n, H, D) at places (B, k) of buffer (B, p, 3, H, D), n of queries, keys and values from `part` on
  return buffer.slice(2, part, part + fresh.size(2)).scatter_(1, self.at(places, fresh), fresh)

def taken_at(self, x: Tensor, places: Tensor, first: int) -> Tensor:
  # x (B, L, n, H, D), the first of whose tokens has the place `first` -> (B, k, n, H, D) at places (B, k)
  return x.gather(1, self.at(places - first, x))

def most_changed(self, values: Tensor, before: Tensor, unsent: Tensor, start: int, count: int, first: int) -> Tensor:
  # which of values (B, L, 1, H, D) are farthest from before[:, start:start + L], as places (B, count) int32 from `first` on;
  # before becomes what they are. To unsent (2) is added what is left of the changes, and the sum of all |values|
  old = before.slice(1, start, start + values.size(1))
  change = torch.abs(torch.to(values, 6) - torch.to(old, 6)).sum([2, 3, 4])  # (B, L)
  chosen = torch.sort(torch.topk(change, count, 1)[1], 1)[0]
  left = torch.sum(change) - torch.sum(change.gather(1, chosen))
  unsent.add_(torch.stack([left, torch.sum(torch.abs(torch.to(values, 6)))]))
  where = self.at(chosen, values)
  old.scatter_(1, where, values.gather(1, where))
  return torch.to(chosen + first, 3)

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

def partial(self, packed: Tensor, kv: Tensor, mask: List[Tensor], text: int, kernel: str) -> Tuple[Tensor, Tensor]:
  # attention over some of the keys: values (B, H, L, D) and log-sum-exp of the scores (B, H, L, 1), both fp32
  dtype = self.product_type(packed)
  bias = self.bias(mask, kv.size(1), dtype)
  if text == 0 or not self.weighed(mask):
    return self.partial_rows(packed, kv, bias, kernel)
  of_text = self.partial_rows(packed.slice(1, 0, text), kv, self.text_bias(mask, kv.size(1), dtype), kernel)
  image = self.partial_rows(packed.slice(1, text, packed.size(1)), kv, bias, kernel)
  return (torch.cat([of_text[0], image[0]], 2), torch.cat([of_text[1], image[1]], 2))

def partial_rows(self, packed: Tensor, kv: Tensor, bias: List[Tensor], kernel: str) -> Tuple[Tensor, Tensor]:
  # the same with what is added to the scores
  k = kv.select(2, kv.size(2) - 2).transpose(1, 2)
  v = kv.select(2, kv.size(2) - 1).transpose(1, 2)
  q = self.queries(packed)
  dtype = self.product_type(q)
  q, k, v = torch.to(q, dtype), torch.to(k, dtype), torch.to(v, dtype)
  chosen = self.summing_kernel(q, k, v, kernel)
  if chosen == "sdpa_math":
    return self.by_products(q, k, v, bias)
  out, lse = self.fused(q, k, v, bias, chosen, True)
  return (torch.to(out, 6), torch.to(lse, 6))

def merge(self, packed: Tensor, kv: Tensor, mask: List[Tensor], text: int, sum: List[Tensor], kernel: str) -> Tuple[Tensor, Tensor]:
  # as if computed over the union of both sets of keys: algorithms from Ring Attention (arXiv 2310.01889)
  other, other_lse = self.partial(packed, kv, mask, text, kernel)
  out, lse = sum[0], sum[1]
  merged = out - torch.sigmoid(other_lse - lse) * (out - other)
  return (merged, lse - torch.log_sigmoid(lse - other_lse))

def finish(self, out: Tensor, like: Tensor) -> Tensor:
  # (B, H, L, D) fp32 -> (B, L, H, D) in the type of like
  return torch.to(out.transpose(1, 2), like.dtype).contiguous()

def total(self, parts: List[Tensor]) -> Tensor:
  # the sum of parts of one shape, in their order
  out = parts[0]
  for part in parts[1:]:
    out = out + part
  return out
