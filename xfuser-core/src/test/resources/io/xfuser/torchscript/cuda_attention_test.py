# What libtorch's kernels on CUDA take and give, as its own meta functions say (torch/_meta_registrations.py, 2.7.1), with
# what attention is, so that the text around them can be tested on a CPU. B batch, H heads, Lq and Lk tokens, D head size.

def simulated(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tuple[Tensor, Tensor]:
  # (B, H, Lq, D) and (B, H, Lq)
  assert q.size(3) % 8 == 0
  scores = torch.matmul(torch.to(q, 6), torch.to(k, 6).transpose(2, 3)) * scale
  out = torch.to(torch.matmul(torch.softmax(scores, 3), torch.to(v, 6)), q.dtype)
  return (out.transpose(1, 2).contiguous().transpose(1, 2), torch.logsumexp(scores, [3], False))

def flash(self, q: Tensor, k: Tensor, v: Tensor, dropout: float, causal: bool, debug: bool,
          scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  assert dropout == 0. and not causal and not debug
  out, lse = self.simulated(q, k, v, scale)
  return (out, lse, q, q, q.size(2), k.size(2), q, q, q)

def cudnn(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool, debug: bool,
          scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  assert bias is None
  out, lse, _2, _3, _4, _5, _6, _7, _8 = self.flash(q, k, v, dropout, causal, debug, scale)
  if not sums:
    lse = q
  return (out, lse, _2, _3, _4, _5, _6, _7, _8)

def later_cudnn(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool, debug: bool,
                scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  # with one more dimension in the sums
  out, lse, _2, _3, _4, _5, _6, _7, _8 = self.cudnn(q, k, v, bias, sums, dropout, causal, debug, scale)
  return (out, lse.unsqueeze(3), _2, _3, _4, _5, _6, _7, _8)

def efficient(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool,
              scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
  # the sums padded to a multiple of 32
  assert bias is None and dropout == 0. and not causal
  out, lse = self.simulated(q, k, v, scale)
  if sums:
    padding = (32 - q.size(2) % 32) % 32
    return (out, torch.constant_pad_nd(lse, [0, padding], float("inf")), q, q)
  return (out, lse.slice(2, 0, 0), q, q)

def ring(self, packed: Tensor, kernel: str) -> Tensor:
  # attention in two uneven parts: (B, L, 3, H, D) -> (B, L, H, D)
  kv = packed.slice(2, 1, 3)
  out, lse = self.partial(packed, kv.slice(1, 0, 20), kernel)
  out, lse = self.merge(packed, kv.slice(1, 20, kv.size(1)), out, lse, kernel)
  return self.finish(out, packed)

def equation(self, packed: Tensor) -> List[Tensor]:
  q, k, v = self.heads(packed)
  return self.attention_equation(q, k, v)

def on(self, x: Tensor, device: str) -> Tensor:
  return torch.to(x, torch.device(device))
