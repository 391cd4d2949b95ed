def flat(self, x: Tensor) -> Tensor:
  return x.reshape([-1])

def shaped(self, x: Tensor, like: Tensor) -> Tensor:
  return x.view(like.shape)

def sum(self, xs: List[Tensor]) -> Tensor:
  # half precision in fp32, so that the rounding does not depend on how many ranks add up; the rest as it is
  total = xs[0]
  if torch.is_floating_point(total):
    total = torch.to(total, torch.promote_types(total.dtype, 6))
  for i in range(1, len(xs)):
    total = total + xs[i]
  if xs[0].dtype == 5:
    total = total.clamp(-65504, 65504)  # what fp16 can hold, as blocks in fp16 hold what they add up themselves
  return torch.to(total, xs[0].dtype)
