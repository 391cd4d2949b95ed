# Functions of prelude.py for threads that have kernels of their own (FusedKernels.java): each stands in the place of the one
# of its name, which is here called plain_ and its name and serves where the kernel takes not these shapes, types or device.

def modulate(self, x: Tensor, shift: Tensor, factor: Tensor, eps: float, by_token: bool=False) -> Tensor:
  y = self.tokens_first(x, x.size(1), x.size(2)) if by_token else torch.empty_like(x, memory_format=0)
  if ops.xfuser.modulate(y, x, shift, factor, eps):
    return y
  return self.plain_modulate(x, shift, factor, eps, by_token)

def norm_rotate_(self, packed: Tensor, rotation: List[Tensor], w: Dict[str, Tensor], norm: str, eps: float) -> Tensor:
  weights = w[norm + ".weight"]
  turns = rotation[0] if len(rotation) > 0 else weights.unsqueeze(0).slice(0, 0, 0)
  if ops.xfuser.norm_rotate(packed, weights, turns, eps):
    return packed
  return self.plain_norm_rotate_(packed, rotation, w, norm, eps)

def add_gated(self, x: Tensor, y: Tensor, gate: Tensor, terms: List[int], term: int) -> Tensor:
  if terms[2] != 0:
    out = x if terms[0] < term else torch.empty_like(x, memory_format=0)
    if ops.xfuser.add_gated(out, x, y, gate):
      return out
  return self.plain_add_gated(x, y, gate, terms, term)
