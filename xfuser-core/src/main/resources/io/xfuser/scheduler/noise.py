# Tables of a noise schedule in float32, made by the operators that diffusers makes them with, because their
# rounding decides timesteps and the size of the last steps. T training steps, n sampling steps.

def even(self, first: float, last: float, count: int) -> Tensor:
  # (count)
  return torch.linspace(first, last, count, dtype=6, device=torch.device("cpu"))

def squared_betas(self, first: float, last: float, count: int) -> Tensor:
  # linear in the square root, (T)
  return torch.pow(self.even(first, last, count), 2)

def given_betas(self, betas: List[float]) -> Tensor:
  # (T)
  return torch.tensor(betas, dtype=6, device=torch.device("cpu"))

def alphas_cumprod(self, betas: Tensor) -> Tensor:
  # the share of the picture in the variance at each training step, (T)
  return torch.cumprod(torch.rsub(betas, 1.0), 0)

def zero_terminal_snr(self, betas: Tensor) -> Tensor:
  # betas whose last step is pure noise, (T); arXiv 2305.08891, algorithm 1
  roots = torch.sqrt(self.alphas_cumprod(betas))
  shifted = (roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))
  squares = torch.pow(shifted, 2)
  alphas = torch.cat([squares[0:1], squares[1:] / squares[:-1]])
  return torch.rsub(alphas, 1.0)

def sigmas(self, alphas_cumprod: Tensor) -> Tensor:
  # noise per unit of picture, (T)
  return torch.sqrt(torch.rsub(alphas_cumprod, 1.0) / alphas_cumprod)

def exponentials(self, first: float, last: float, count: int) -> Tensor:
  # (count)
  return torch.exp(self.even(first, last, count))

def log_snr(self, alphas_cumprod: Tensor) -> Tensor:
  # half the logarithm of the signal to noise ratio, (T)
  return torch.log(torch.sqrt(alphas_cumprod)) - torch.log(torch.sqrt(torch.rsub(alphas_cumprod, 1.0)))

def solver_tables(self, sigmas: Tensor, flow: bool) -> List[Tensor]:
  # (n + 1) -> alpha and sigma (n + 1), h and exp(-h) (n), h the step in lambda = log(alpha / sigma)
  if flow:
    alpha = torch.rsub(sigmas, 1.0)
    sigma = sigmas
  else:
    alpha = torch.reciprocal(torch.sqrt(torch.pow(sigmas, 2) + 1.0))
    sigma = sigmas * alpha
  lambdas = torch.log(alpha) - torch.log(sigma)
  h = lambdas[1:] - lambdas[:-1]
  return [alpha, sigma, h, torch.exp(torch.neg(h))]
