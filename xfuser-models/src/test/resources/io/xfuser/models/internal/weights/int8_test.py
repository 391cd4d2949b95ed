def joined(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return self.linear(x, w, "qk")

def apart(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return torch.cat([self.linear(x, w, "q"), self.linear(x, w, "k")], 1)

def widened(self, w: Dict[str, Tensor]) -> Tensor:
  return torch.to(w["a.weight"], 6) * w["a.weight_scale"].unsqueeze(1)
