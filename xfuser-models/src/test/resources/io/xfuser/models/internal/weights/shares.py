def layers(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (2, 4); both layers to the heads (2·h, 4), back from the heads (4, h) and from the neurons (4, n)
  h = w["out.0.weight"].size(1)
  both = self.linear(x, w, "qk")
  inner = both.slice(1, 0, h) * both.slice(1, h, 2 * h)  # what heads compute needs nothing of their neighbours
  ones = torch.ones([2, w["out.1.weight"].size(1)], dtype=x.dtype, device=x.device)
  return self.linear(inner, w, "out.0") + self.linear(ones, w, "out.1")

def bias(self, w: Dict[str, Tensor]) -> Tensor:
  return torch.clone(w["out.0.bias"])
