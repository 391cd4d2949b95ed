def rows(self, weight: Tensor, start: int, end: int, tokens: bool) -> List[Tensor]:
  # rows (O, I) of a weight -> columns from start to end (O, end - start) int8, and the scales (O) of whole rows: what the shares
  # of a layer add up to is what the whole layer gives
  scales = self.int8_scales(weight, tokens)
  return [self.int8_rows(torch.slice(weight, 1, start, end), scales), scales]

def pack(self, weight: Tensor) -> List[Tensor]:
  # (O, I) int8 -> as FBGEMM takes it, and the sums (O) of its rows
  return self.int8_pack(weight)

def promised(self, weight: Tensor, packed: bool) -> List[Tensor]:
  # what the two make of a weight (O, I) without memory: FBGEMM's tensors show as many bytes, whatever they hold
  scales = torch.empty([weight.size(0)], dtype=6, device=weight.device)
  if packed:
    small = self.int8_pack(torch.zeros([1, 1], dtype=1, device=torch.device("cpu")))
    return [small[0], torch.empty_like(scales, dtype=3), scales]
  return [torch.empty_like(weight, dtype=1), scales]

def trial(self) -> int:
  # whether FBGEMM is there, and exact where 16 bits are filled; it throws where there is none
  weight = torch.ones([5, 96], dtype=6, device=torch.device("cpu"))
  x = torch.ones([3, 96], dtype=6, device=torch.device("cpu"))
  scales = self.int8_scales(weight, True)
  packed = self.int8_pack(self.int8_rows(weight, scales))
  y = self.int8_product(x, packed[0], packed[1], scales)
  whole = torch.to(self.int8_rows(weight, scales), 6) * scales.unsqueeze(1)
  return int(float(torch.max(torch.abs(y - torch.sum(whole, [1]))).item()) < 1e-3)
