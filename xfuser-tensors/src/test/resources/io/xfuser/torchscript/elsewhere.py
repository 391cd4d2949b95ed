# What DeviceRun joins to the calls of a program to compare what devices compute.

def fused_activation(self, bias: Tensor, x: Tensor, weight: Tensor, use_gelu: bool) -> Tensor:
  # as cuBLASLt does it
  return torch.gelu(torch.addmm(bias, x, weight), approximate="tanh")

def waves(self, shape: List[int], dtype: int, device: Device) -> Tensor:
  count = 1
  for n in shape:
    count = count * n
  return torch.to(torch.sin(torch.arange(count, dtype=6, device=device) * 0.7 + count).view(shape), dtype)

def varied(self, dtype: int) -> List[Tensor]:
  return [torch.to(x, 6) for x in self.calls(torch.ones([1], dtype=dtype, device=torch.device("cpu")))]
