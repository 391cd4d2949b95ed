# Weights that are widened where they are multiplied, some rows at a time, and texts that are multiplied together, as if each were
# alone. Shapes as in products.py.

def wide_at_once(self) -> int:
  # so many elements are widened at a time: 8 MiB, which a cache holds until they are multiplied
  return 2097152

def wide_rows(self, inputs: int) -> int:
  # so many rows of a matrix are widened at a time, a multiple of 64 that kernels take together: 8 MiB, but 640 rows at the least,
  # of fewer of which oneDNN makes a slow product on AVX2 (decision 0082), unless that is more than 32 MiB, the whole of a cache
  at_once = self.wide_at_once()
  rows = max(at_once, min(640 * inputs, 4 * at_once)) // max(inputs, 1)
  return rows // 64 * 64 if rows >= 64 else max(1, rows)

def kept_parts(self, w: Dict[str, Tensor], name: str) -> List[Tensor]:
  # what lies in the file of a layer, in order
  parts = [w[name + ".weight_kept"]]
  while name + ".weight_kept_" + str(len(parts)) in w:
    parts.append(w[name + ".weight_kept_" + str(len(parts))])
  return parts

def as_is(self, weight: Tensor, rounded: int, wide_type: int) -> bool:
  # whether a part of a weight is multiplied without a copy of it
  return weight.dtype == wide_type and rounded == wide_type and weight.is_contiguous()

def widen_into(self, w: Tensor, rounded: int, place: Tensor) -> Tensor:
  # w (R, I) in place (R, I), rounded to a type on the way: some rows at a time, 32,768 elements for each of 32 threads, of fewer of
  # which libtorch gives no thread a share, 2 MiB in a half type, which a cache holds; and by way of fp32, which every half type fits
  # into, since libtorch turns one half type into the other one number after another
  between = 6 if rounded == place.dtype else rounded
  if rounded == w.dtype or between in [w.dtype, place.dtype]:
    return torch.copy_(place, w)
  rows, step = w.size(0), max(1, 1048576 // max(w.size(1), 1))
  buffer = torch.empty([min(rows, step), w.size(1)], dtype=between, device=w.device)
  for i in range((rows + step - 1) // step):
    end = min(rows, (i + 1) * step)
    part, wide = torch.slice(w, 0, i * step, end), torch.slice(place, 0, i * step, end)
    if wide.dtype == 6 and part.dtype != 6:
      part = torch.copy_(wide, part)
    torch.copy_(wide, torch.copy_(torch.slice(buffer, 0, 0, end - i * step), part))
  return place

def wide_linear(self, x: Tensor, weights: List[Tensor], rounded: int, scale: Optional[Tensor], bias: Optional[Tensor],
                gelu: bool, added: Optional[Tensor], dtype: int, out: Optional[Tensor], texts: int=1) -> Tensor:
  # linear_layer with a weight (O, I) in parts, one below the other, to be widened, rounded to a type on the way, its rows
  # times a scale (O) if there is one; in out (..., O), if that is given. What is widened is multiplied for each of so many
  # equal parts of x by itself (linear_apart).
  wide_type = self.product_type(x)
  outputs, most, inputs = 0, 0, weights[0].size(1)
  for weight in weights:
    outputs = outputs + weight.size(0)
    if scale is not None or not self.as_is(weight, rounded, wide_type):
      most = max(most, weight.size(0))
  rows = min(most, self.wide_rows(inputs))
  wide = torch.chunk(torch.to(x, wide_type), texts, 0)
  buffer = torch.empty([rows, inputs], dtype=wide_type, device=x.device)
  shape = x.size()
  shape[-1] = outputs
  y = out if out is not None else torch.empty(shape, dtype=dtype, device=x.device)
  ys = torch.chunk(y, texts, 0)
  before = 0  # rows of earlier parts
  for weight in weights:
    whole = scale is None and self.as_is(weight, rounded, wide_type)
    step = weight.size(0) if whole else rows
    for i in range((weight.size(0) + step - 1) // max(step, 1)):
      w = torch.slice(weight, 0, i * step, min(weight.size(0), (i + 1) * step))
      start = before + i * step
      end = start + w.size(0)
      if not whole:
        w = self.widen_into(w, rounded, torch.slice(buffer, 0, 0, end - start))
      if scale is not None:
        torch.mul_(w, torch.slice(scale, 0, start, end).unsqueeze(1))
      b: Optional[Tensor] = None
      if bias is not None:
        b = torch.to(torch.slice(bias, 0, start, end), wide_type)
      for k in range(texts):
        place = torch.slice(ys[k], -1, start, end)
        if added is None and bias is None and out is None and self.multiplies_into(wide[k], w, place):
          self.product_there(wide[k], w, gelu, place)
          continue
        if gelu:
          part = self.product_gelu_tanh(wide[k], w, b)
        elif added is not None:
          more = torch.slice(torch.chunk(added, texts, 0)[k], -1, start, end)
          part = self.product_add(wide[k], w, b, torch.to(more, wide_type), False)
        else:
          part = self.product(wide[k], w, b)
        if end - start == outputs and out is None and texts == 1:
          return torch.to(part, dtype)
        torch.copy_(place, part)
    before += weight.size(0)
  return y

def kept_linear(self, x: Tensor, w: Dict[str, Tensor], name: str, gelu: bool, added: Optional[Tensor], dtype: int,
                out: Optional[Tensor], texts: int=1) -> Tensor:
  # linear_layer with what is kept of a layer
  rounded = w[name + ".weight_type"].dtype
  return self.wide_linear(x, self.kept_parts(w, name), rounded, None, w.get(name + ".bias"), gelu, added, dtype, out, texts)

def widens(self, w: Dict[str, Tensor], name: str) -> bool:
  # whether what is held of a layer in a floating type is widened
  if name + ".weight_packed" in w:
    return False
  if name + ".weight_scale" in w:
    return True
  weight = w[name + ".weight"]
  return self.product_type(weight) != weight.dtype

def linear_apart(self, x: Tensor, w: Dict[str, Tensor], name: str, gelu: bool, added: Optional[Tensor], dtype: int,
                 texts: int) -> Tensor:
  # linear_layer of x (texts·B, ..., I) with the bits that it gives each (B, ..., I) alone; what is widened of a layer is for all
  if texts == 1:
    return self.linear_layer(x, w, name, gelu, added, False, dtype)
  if name + ".weight_kept" in w:
    return self.kept_linear(x, w, name, gelu, added, dtype, None, texts)
  if self.widens(w, name):
    weight = w[name + ".weight"]
    return self.wide_linear(
        x, [weight], weight.dtype, w.get(name + ".weight_scale"), w.get(name + ".bias"), gelu, added, dtype, None, texts)
  ys = annotate(List[Tensor], [])
  xs = torch.chunk(x, texts, 0)
  for k in range(texts):
    more = added
    if added is not None:
      more = torch.chunk(added, texts, 0)[k]
    ys.append(self.linear_layer(xs[k], w, name, gelu, more, False, dtype))
  return torch.cat(ys, 0)
