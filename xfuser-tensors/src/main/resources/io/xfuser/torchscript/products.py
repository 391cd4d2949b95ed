# Everything that multiplies matrices or convolves. Programs call these functions and no such operator of libtorch
# (ProductsTest), so that the type in which that is done is chosen here: fp32 where this CPU is faster at it than in the type
# of x (HalfPrecision.java), whatever the number of rows. Shapes: B batch, L tokens (Lq queries, Lk keys), H heads, D head
# size, I inputs, O outputs.
#
# Weights are a dictionary by the checkpoint's names (WeightMap.java). What a layer is, its entries say:
#   name.weight   in the type of x: the matrix (O, I) of a linear layer, of a share the share's rows or columns; the kernel
#                 (O, C, KH, KW) of a convolution, (O, C, T, KH, KW) of one over frames
#   name.bias     (O), is added where there is one
# A matrix of 8 bits (decision 0035) is
#   name.weight   (O, I) int8, and name.weight_scale (O), by which its rows are multiplied, or
#   name.weight_packed, name.weight_sums and name.weight_scale, with which FBGEMM multiplies (int8.py)
# A matrix of several layers, which on a CPU are not copied to be one (decision 0080), or that stays in its mapped file in
# another type (decision 0073), is
#   name.weight_kept, name.weight_kept_1, ...  parts of it, one below the other, and
#   name.weight_type   (0), of the type that they are rounded to before they are multiplied

def product_type(self, x: Tensor) -> int:
  # the type in which x is multiplied
  if x.is_cpu and ((x.dtype == 15 and self.widens_bfloat16()) or (x.dtype == 5 and self.widens_float16())):
    return 6
  return x.dtype

def linear_layer(self, x: Tensor, w: Dict[str, Tensor], name: str, gelu: bool, added: Optional[Tensor], own: bool,
                 dtype: int) -> Tensor:
  # x (..., I), added none or (..., O) -> x·weightᵀ + bias, after gelu_tanh or + added, (..., O) of dtype; what is added may be
  # the result's memory if it is the caller's own
  if name + ".weight_packed" in w:
    return self.int8_linear(x, w, name, gelu, added, dtype)
  if name + ".weight_kept" in w:
    return self.kept_linear(x, w, name, gelu, added, dtype, None)
  weight, scale, bias = w[name + ".weight"], w.get(name + ".weight_scale"), w.get(name + ".bias")
  if self.widens(w, name):
    return self.wide_linear(x, [weight], weight.dtype, scale, bias, gelu, added, dtype, None)
  if gelu:
    return self.product_gelu_tanh(x, weight, bias)
  if added is not None:
    return self.product_add(x, weight, bias, added, own)
  return self.product(x, weight, bias)

def has_layer(self, w: Dict[str, Tensor], name: str) -> bool:
  return name + ".weight" in w or name + ".weight_packed" in w or name + ".weight_kept" in w

def outputs(self, w: Dict[str, Tensor], name: str) -> int:
  # O of a layer
  if name + ".weight_scale" in w:
    return w[name + ".weight_scale"].size(0)
  if name + ".weight_kept" in w:
    rows = 0
    for part in self.kept_parts(w, name):
      rows += part.size(0)
    return rows
  return w[name + ".weight"].size(0)

def taken_type(self, x: Tensor, w: Dict[str, Tensor], name: str) -> int:
  # the type that a layer takes x in, if what it makes of it may be too large for float16
  if name + ".weight_scale" in w:
    return 6 if x.dtype == 5 else x.dtype
  return w[name + (".weight_type" if name + ".weight_type" in w else ".weight")].dtype

def linear(self, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  # x (..., I) -> (..., O)
  return self.linear_layer(x, w, name, False, None, False, x.dtype)

def linear_add(self, x: Tensor, w: Dict[str, Tensor], name: str, y: Tensor, own: bool=False) -> Tensor:
  # y (..., O) + linear(x), in the place of y if it is the caller's own and that is faster
  return self.linear_layer(x, w, name, False, y, own, x.dtype)

def linear_into(self, x: Tensor, w: Dict[str, Tensor], name: str, out: Tensor) -> Tensor:
  # linear(x) in out (B, L, O), a part of a buffer
  if name + ".weight_kept" in w:
    return self.kept_linear(x, w, name, False, None, x.dtype, out)
  weight, bias = w.get(name + ".weight"), w.get(name + ".bias")
  if weight is None or name + ".weight_scale" in w or x.is_cpu:
    return out.copy_(self.linear(x, w, name))
  if x.transpose(0, 1).is_contiguous() and out.transpose(0, 1).is_contiguous():  # tokens_first
    self.product_into(x.transpose(0, 1).flatten(0, 1), weight, bias, out.transpose(0, 1).flatten(0, 1))
    return out
  for b in range(x.size(0)):
    self.product_into(x[b], weight, bias, out[b])
  return out

def mlp_gelu_tanh(self, x: Tensor, w: Dict[str, Tensor], first: str, second: str) -> Tensor:
  # second(gelu_tanh(first(x)))
  h = self.linear_layer(x, w, first, True, None, False, self.product_type(x))
  return self.linear_layer(h, w, second, False, None, False, x.dtype)

def mlp_gelu_tanh_add(self, x: Tensor, w: Dict[str, Tensor], first: str, second: str, y: Tensor,
                      own: bool=False) -> Tensor:
  # y + second(gelu_tanh(first(x))), y as in linear_add
  h = self.linear_layer(x, w, first, True, None, False, self.product_type(x))
  return self.linear_layer(h, w, second, False, y, own, x.dtype)

def matmul(self, x: Tensor, y: Tensor) -> Tensor:
  # x (..., M, K), y (..., K, N) -> (..., M, N)
  dtype = self.product_type(x)
  return torch.to(torch.matmul(torch.to(x, dtype), torch.to(y, dtype)), x.dtype)

def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
  # q (B, H, Lq, D), k and v (B, H, Lk, D) -> (B, Lq, H, D)
  if q.is_cpu and q.size(2) >= 64 and q.dtype == 15 and self.product_type(q) == 15:
    return self.attend_by_pairs(q, k, v)
  return self.attend_masked(q, k, v, annotate(List[Tensor], []))

def attend_masked(self, q: Tensor, k: Tensor, v: Tensor, mask: List[Tensor]) -> Tensor:
  # the same; mask none or (B, H, Lq, Lk) or what fits it, added to the scores
  dtype = self.product_type(q)
  q, k, v, given = torch.to(q, dtype), torch.to(k, dtype), torch.to(v, dtype), q.dtype
  if len(mask) == 0:
    out = torch.scaled_dot_product_attention(q, k, v)
  else:
    out = torch.scaled_dot_product_attention(q, k, v, torch.to(mask[0], dtype))
  return torch.to(out.transpose(1, 2), given)

def attend_by_pairs(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
  # attend, two heads at a time: where the CPU multiplies matrices of bf16 quickly, libtorch's fused attention does
  # not. The scores of some queries are held at once, at most 2^20 a head (or 64 queries): they stay in the cache.
  out = torch.empty([q.size(0), q.size(2), q.size(1), q.size(3)], dtype=q.dtype, device=q.device)
  rows = max(64, 1048576 // max(k.size(2), 1))
  scaled = q * (float(q.size(3)) ** -0.5)
  for b in range(q.size(0)):
    for h in range(0, q.size(1), 2):
      keys = k[b].slice(0, h, h + 2).transpose(1, 2)  # (2, D, Lk)
      values = v[b].slice(0, h, h + 2)  # (2, Lk, D)
      for start in range(0, q.size(2), rows):
        part = scaled[b].slice(0, h, h + 2).slice(1, start, start + rows)  # (2, rows, D)
        attended = torch.bmm(torch.softmax(torch.bmm(part, keys), -1), values)
        out[b].slice(0, start, start + rows).slice(1, h, h + 2).copy_(attended.transpose(0, 1))
  return out

def convolve(self, x: Tensor, w: Dict[str, Tensor], name: str, padding: List[int]) -> Tensor:
  # x (B, C, H, W), rows and columns of zeros on each side -> (B, O, H', W'), of the size that they leave; by a kernel over T
  # frames x is B frames of one video, and the result those that have T − 1 before them
  return self.convolve_by(x, w, name, padding, 1)

def convolve_by(self, x: Tensor, w: Dict[str, Tensor], name: str, padding: List[int], stride: int) -> Tensor:
  # the same at every `stride`-th row and column
  weight, bias = w[name + ".weight"], w.get(name + ".bias")
  dtype = self.product_type(x)
  if dtype == x.dtype:
    return self.convolution(x, weight, bias, padding, stride)
  wide = torch.to(weight, dtype)
  wide_bias: Optional[Tensor] = None
  if bias is not None:
    wide_bias = torch.to(bias, dtype)
  kernel = weight.size(-2)  # rows
  height = (x.size(2) + 2 * padding[0] - kernel) // stride + 1
  width = (x.size(3) + 2 * padding[1] - weight.size(-1)) // stride + 1
  frames = x.size(0) if weight.dim() == 4 else x.size(0) - weight.size(2) + 1
  y = torch.empty([frames, weight.size(0), height, width], dtype=x.dtype, device=x.device, memory_format=2)
  # some rows at a time, each with those that the kernel sees around it, so that no whole tensor is held in the wider type
  step = min(height, max(1, self.wide_at_once() // (x.size(0) * x.size(1) * x.size(3) * stride)))
  seen = (step - 1) * stride + kernel
  buffer = torch.empty([x.size(0), x.size(1), seen, x.size(3)], dtype=dtype, device=x.device, memory_format=2)
  for i in range((height + step - 1) // step):
    end = min(height, (i + 1) * step)
    start = i * step * stride - padding[0]  # in rows of x
    stop = (end - 1) * stride + kernel - padding[0]
    first = max(0, start)
    last = min(x.size(2), stop)
    rows = torch.slice(buffer, 2, 0, stop - start)
    torch.zero_(torch.slice(rows, 2, 0, first - start))
    torch.copy_(torch.slice(rows, 2, first - start, last - start), torch.slice(x, 2, first, last))
    torch.zero_(torch.slice(rows, 2, last - start, stop - start))
    part = self.convolution(rows, wide, wide_bias, [0, padding[1]], stride)
    torch.copy_(torch.slice(y, 2, i * step, end), part)
  return y

def convolve_depthwise(self, x: Tensor, w: Dict[str, Tensor], name: str, side: int, padding: List[int]) -> Tensor:
  # x (B, C, H, W), each channel by its own kernel, side × side, and zeros around it -> (B, C, H', W')
  dtype = self.product_type(x)
  weight = torch.to(w[name + ".weight"], dtype).reshape([-1, 1, side, side])
  bias = w.get(name + ".bias")
  if bias is not None:
    bias = torch.to(bias, dtype)
  return torch.to(self.convolution(torch.to(x, dtype), weight, bias, padding, 1, x.size(1)), x.dtype)

def convolution(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], padding: List[int], stride: int,
                groups: int=1) -> Tensor:
  # convolve_by in the type of x, of so many groups of channels. On CUDA libtorch would round fp32 to TF32 unless told not to.
  if weight.dim() == 5:
    return self.convolution_over_frames(x, weight, bias, padding, stride)
  by = [stride, stride]
  if x.is_cuda:
    # not transposed; no search for the fastest algorithm, cuDNN, no TF32
    return torch._convolution(x, weight, bias, by, padding, [1, 1], False, [0, 0], groups, False, False, True, False)
  return torch.conv2d(x, weight, bias, by, padding, [1, 1], groups)

def convolution_over_frames(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], padding: List[int],
                            stride: int) -> Tensor:
  # convolution of frames x (T − 1 + F, C, H, W) by a kernel (O, C, T, KH, KW) -> (F, O, H', W')
  frames = torch.transpose(torch.unsqueeze(x, 0), 1, 2)  # (1, C, T − 1 + F, H, W), a view
  by, around = [1, stride, stride], [0, padding[0], padding[1]]
  if x.is_cuda:
    y = torch._convolution(frames, weight, bias, by, around, [1, 1, 1], False, [0, 0, 0], 1, False, False, True, False)
  else:
    y = torch.conv3d(frames, weight, bias, by, around, [1, 1, 1], 1)
  return torch.transpose(torch.squeeze(y, 0), 0, 1)
