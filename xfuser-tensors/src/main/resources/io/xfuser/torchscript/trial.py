def products(self, dtype: int) -> List[Tensor]:
  # One product of every kind in a type: what a libtorch cannot multiply ends in an error.
  x = torch.ones([96, 96], dtype=dtype, device=torch.device("cpu"))
  b = torch.ones([96], dtype=dtype, device=torch.device("cpu"))
  w = {"a.weight": x, "a.bias": b, "b.weight": x, "c.weight": x[:3, :3].reshape([1, 1, 3, 3])}
  out = [self.linear(x, w, "a"), self.linear(x, w, "b"), self.linear_add(x, w, "a", x), self.linear_add(x, w, "b", x)]
  q = x.view([1, 1, 96, 96])
  out = out + [self.mlp_gelu_tanh_add(x, w, "a", "a", x), self.mlp_gelu_tanh(x, w, "b", "b"), self.matmul(x, x)]
  return out + [self.attend(q, q, q), self.attend_masked(q, q, q, [q]), self.convolve(q, w, "c", [1, 1])]
