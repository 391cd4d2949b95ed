# What the texts beside this one share: blocks on tensors without memory.

def calls(self, like: Tensor) -> List[Tensor]:
  return [like]

def bfloat16(self) -> Tensor:
  return torch.ones([1], dtype=15, device=torch.device("meta"))

def attended_heads(self, packed: Tensor) -> Tensor:
  # (B, L, 3, H, D) -> (B, L, H, D), which kernels on CUDA give in this order or that of the queries
  q = packed.select(2, 0).transpose(1, 2)
  out = self.attend(q, q, q)
  return out if out.transpose(0, 1).is_contiguous() else out.contiguous()

def norms(self, like: Tensor, names: List[str], head: int, w: Dict[str, Tensor]) -> Dict[str, Tensor]:
  # w and the norms of queries and keys of these names, as WeightMap.scales reads them
  for name in names:
    w[name + ".weight"], w[name + ".weight_by_root"] = self.of(like, [2, head]), self.exact(like, [2, head])
  return w
