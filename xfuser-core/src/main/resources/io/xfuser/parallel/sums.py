def flat(self, x: Tensor) -> Tensor:
  return x.reshape([-1])

def shaped(self, x: Tensor, like: Tensor) -> Tensor:
  return x.view(like.shape)

def sum(self, xs: List[Tensor]) -> Tensor:
  # in fp32 (fp64 stays), so that half-precision sums do not depend on how many ranks add up
  total = torch.to(xs[0], torch.promote_types(xs[0].dtype, 6))
  for i in range(1, len(xs)):
    total = total + xs[i]
  return torch.to(total, xs[0].dtype)
