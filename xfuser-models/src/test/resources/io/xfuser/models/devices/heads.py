# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, l 5, n 3, k 2, H 2, D 4
  packed, weight = self.of(like, [2, 5, 3, 2, 4]), self.of(like, [2, 2, 4])
  turns = torch.ones([5, 2, 2], dtype=6, device=like.device)
  squares = self.squares_of(packed, 2)
  plain = self.norm_heads_(packed, squares, 8, weight, annotate(List[Tensor], []), 1e-6)
  return [squares, plain, self.norm_heads_(packed, squares, 8, weight, [turns], 1e-6)]
