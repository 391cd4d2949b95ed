# Latents as transformers have them: normalised, and four of a channel in one place. B pictures, c channels, h rows, w columns.

def deviation(self, w: Dict[str, Tensor], eps: float) -> Tensor:
  # (4·c, 1, 1)
  return torch.sqrt(w["bn.running_var"] + eps).unsqueeze(1).unsqueeze(1)

def mean(self, w: Dict[str, Tensor]) -> Tensor:
  # (4·c, 1, 1)
  return w["bn.running_mean"].unsqueeze(1).unsqueeze(1)

def opened(self, x: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x (B, 4·c, h, w) -> (B, c, 2·h, 2·w), as the autoencoder has them
  mean = self.mean(w)
  y = torch.to(x, mean.dtype) * self.deviation(w, eps) + mean
  return y.unflatten(1, [-1, 2, 2]).permute(0, 1, 4, 2, 5, 3).flatten(4).flatten(2, 3)

def closed(self, x: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # the other way round: x (B, c, 2·h, 2·w) -> (B, 4·c, h, w)
  y = x.unflatten(3, [-1, 2]).unflatten(2, [-1, 2]).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)
  return (y - self.mean(w)) / self.deviation(w, eps)
