def tokens(self, mask: Tensor) -> int:
  # mask (1, T): how many tokens are no padding
  return int(mask.sum().item())

def masked(self, embeds: Tensor, mask: Tensor) -> Tensor:
  # embeds (B, T, text width), mask (B, T) of 1 and 0
  return embeds * torch.to(mask, embeds.dtype).unsqueeze(2)
