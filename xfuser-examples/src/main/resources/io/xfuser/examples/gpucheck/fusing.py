# x (L, I), w (O, I), b (O) -> (L, O); matrices and pictures of the type and on the device that they have.

def product(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
  return torch.linear(x, w, b)

def gelu_after(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
  return torch.gelu(torch.linear(x, w, b), approximate="tanh")

def gelu_within(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
  # CUDA's epilogue is the tanh form, the CPU's is not
  return torch._addmm_activation(b, x, w.t(), use_gelu=True)

def copied(self, x: Tensor) -> Tensor:
  return torch.clone(x)

def last(self, x: Tensor) -> Tensor:
  # (B, C, H, W) with channels last in memory
  return x.contiguous(memory_format=2)

def convolved(self, x: Tensor, w: Tensor) -> Tensor:
  # x (B, C, H, W), w (C, C, 3, 3)
  return torch.conv2d(x, w, padding=[1, 1])

def counted(self, x: Tensor) -> Tensor:
  return x + 1

def largest(self, x: Tensor, y: Tensor) -> float:
  # the largest difference
  return float((torch.to(x, 6) - torch.to(y, 6)).abs().max().item())
