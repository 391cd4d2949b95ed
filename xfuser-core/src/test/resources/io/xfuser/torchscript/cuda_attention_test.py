# What libtorch's kernels on CUDA take and give, as its own meta functions say (torch/_meta_registrations.py, 2.7.1), with
# what attention is, so that the text around them can be tested on a CPU. B batch, H heads, Lq and Lk tokens, D head size.

def simulated(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], scale: float) -> Tuple[Tensor, Tensor]:
  # (B, H, Lq, D) and (B, H, Lq)
  assert q.size(3) % 8 == 0
  scores = torch.matmul(torch.to(q, 6), torch.to(k, 6).transpose(2, 3)) * scale
  if bias is not None:
    # as the kernels check it: of the whole shape and aligned
    assert bias.dtype == q.dtype and bias.size() == scores.size() and bias.stride(3) == 1
    assert bias.stride(0) % 8 == 0 and bias.stride(1) % 8 == 0 and bias.stride(2) % 8 == 0
    scores = scores + bias
  out = torch.to(torch.matmul(torch.softmax(scores, 3), torch.to(v, 6)), q.dtype)
  return (out.transpose(1, 2).contiguous().transpose(1, 2), torch.logsumexp(scores, [3], False))

def flash(self, q: Tensor, k: Tensor, v: Tensor, dropout: float, causal: bool, debug: bool,
          scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  assert dropout == 0. and not causal and not debug
  out, lse = self.simulated(q, k, v, None, scale)
  return (out, lse, q, q, q.size(2), k.size(2), q, q, q)

def cudnn(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool, debug: bool,
          scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  assert dropout == 0. and not causal and not debug
  out, lse = self.simulated(q, k, v, bias, scale)
  if not sums:
    lse = q
  return (out, lse, q, q, q.size(2), k.size(2), q, q, q)

def later_cudnn(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool, debug: bool,
                scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  # with one more dimension in the sums
  out, lse, _2, _3, _4, _5, _6, _7, _8 = self.cudnn(q, k, v, bias, sums, dropout, causal, debug, scale)
  return (out, lse.unsqueeze(3), _2, _3, _4, _5, _6, _7, _8)

def efficient(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool,
              scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
  # the sums padded to a multiple of 32
  assert dropout == 0. and not causal
  out, lse = self.simulated(q, k, v, bias, scale)
  if sums:
    padding = (32 - q.size(2) % 32) % 32
    return (out, torch.constant_pad_nd(lse, [0, padding], float("inf")), q, q)
  return (out, lse.slice(2, 0, 0), q, q)

def ring(self, packed: Tensor, mask: List[Tensor], text: int, kernel: str) -> Tensor:
  # attention in two uneven parts: (B, L, 3, H, D) -> (B, L, H, D)
  kv = packed.slice(2, 1, 3)
  out, lse = self.partial(packed, kv.slice(1, 0, 20), mask, text, kernel)
  out, lse = self.merge(packed, kv.slice(1, 20, kv.size(1)), annotate(List[Tensor], []), 0, [out, lse], kernel)
  return self.finish(out, packed)

def equation(self, packed: Tensor, mask: List[Tensor]) -> List[Tensor]:
  q, k, v = [torch.to(x, 6) for x in self.heads(packed)]
  scores = torch.matmul(q, k.transpose(2, 3)) / (float(q.size(3)) ** 0.5)
  for m in mask:
    if m.is_floating_point():
      weights = torch.constant_pad_nd(m, [0, k.size(2) - m.size(1)], 1)
      scores = scores + (weights.unsqueeze(2) * weights.unsqueeze(1)).unsqueeze(1)
    for b in range(0 if m.is_floating_point() else m.size(0)):
      for t in range(m.size(1)):
        if int(m[b, t].item()) == 0:
          scores[b, :, :, t] = -float("inf")
  return [torch.matmul(torch.softmax(scores, -1), v).transpose(1, 2)]

def on(self, x: Tensor, device: str) -> Tensor:
  return torch.to(x, torch.device(device))
