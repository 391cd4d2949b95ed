def multiplied_as(self, dtype: int) -> int:
  # the type in which the CPU multiplies tensors of dtype
  return self.product_type(torch.empty([0], dtype=dtype, device=torch.device("cpu")))

def on_gpu(self, x: Tensor) -> int:
  # whether x is on a GPU; DJL cannot tell of a tensor without memory
  return int(x.is_cuda)
