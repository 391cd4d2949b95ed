def products(self, dtype: int) -> List[Tensor]:
  # One product of every kind in a type: what a libtorch cannot multiply ends in an error.
  x = torch.ones([96, 96], dtype=dtype, device=torch.device("cpu"))
  b = torch.ones([96], dtype=dtype, device=torch.device("cpu"))
  q = x.view([1, 1, 96, 96])
  out = [self.linear(x, x, b), self.linear_add(x, x, b, x), self.linear_alone(x, x), self.mlp_gelu_tanh_add(x, x, b, x, b, x)]
  return out + [self.matmul(x, x), self.attend(q, q, q), self.attend_masked(q, q, q, [q]), self.convolve(q, q[:, :, :3, :3], b[:1], [1, 1])]
