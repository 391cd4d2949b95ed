def multiplied_as(self, dtype: int) -> int:
  # the type in which the CPU multiplies tensors of dtype
  return self.product_type(torch.empty([0], dtype=dtype, device=torch.device("cpu")))
