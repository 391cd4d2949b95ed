def upload(self, x: Tensor, device: str, elements: int, pinned: bool) -> Tensor:
  # x of any layout on the host -> contiguous on the device, by a buffer of so many elements, or of one row of
  # dimension 0 of an x that is not contiguous
  # first, because pinned memory is made by a GPU that is in use already, else by the first one
  y = torch.empty(x.size(), dtype=x.dtype, device=torch.device(device))
  if torch.numel(x) == 0:
    return y
  source = x
  target = y
  if x.is_contiguous():
    source = x.view([-1])
    target = y.view([-1])
  rows = source.size(0)
  row = torch.numel(x) // rows
  step = min(rows, max(1, elements // row))
  buffer = torch.empty([step * row], dtype=x.dtype, device=torch.device("cpu"), pin_memory=pinned)
  for i in range((rows + step - 1) // step):
    start = i * step
    end = min(rows, start + step)
    part = torch.slice(source, 0, start, end)
    host = torch.slice(buffer, 0, 0, (end - start) * row).view(part.size())
    torch.copy_(host, part)
    # returns when the buffer may be written again
    torch.copy_(torch.slice(target, 0, start, end), host)
  return y
