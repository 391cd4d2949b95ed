def layers(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return torch.to(self.linear(x, w, "both"), 6)

def layers_into(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # the same by way of a part of a buffer (1, rows, O)
  room = torch.zeros([1, x.size(0) + 2, self.outputs(w, "both")], dtype=x.dtype, device=x.device)
  self.linear_into(x.unsqueeze(0), w, "both", room.slice(1, 1, 1 + x.size(0)))
  assert float(room[0, 0].abs().max().item()) == 0. and float(room[0, -1].abs().max().item()) == 0.
  return torch.to(room[0].slice(0, 1, 1 + x.size(0)), 6)

def alone(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return torch.to(self.linear(x, w, "a"), 6)
