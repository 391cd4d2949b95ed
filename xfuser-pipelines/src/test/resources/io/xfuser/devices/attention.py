def calls(self, like: Tensor) -> List[Tensor]:
  packed = self.of(like, [2, 6, 3, 2, 12])
  buffer = self.store(self.new_buffer(packed, 8), packed, [0, 4, 6, 8])
  out = [self.queries(packed), self.key_values(packed), buffer]
  kernels = ["fastest", "sdpa", "sdpa_flash", "sdpa_math"]
  if not like.is_cpu:
    # in fp16, which all kernels on CUDA take
    packed = torch.to(packed, 5)
    buffer = torch.to(buffer, 5)
    kernels = kernels + ["sdpa_efficient", "cudnn"]
  whole = torch.ones([2, 3], dtype=4, device=like.device)
  for mask in [annotate(List[Tensor], []), [self.of(like, [2, 3]), self.of(like, [2, 3])], [whole, whole]]:
    for kernel in kernels:
      a, lse = self.partial(packed, packed, mask, 3, kernel)
      a, lse = self.merge(packed, buffer, mask, 3, [a, lse], kernel)
      out = out + [self.local(packed, mask, 3, kernel), self.cached(packed, buffer, 5, mask, 3, kernel), self.finish(a, packed)]
  values = packed.slice(2, 2, 3)
  out.append(self.with_values([packed.slice(2, 0, 2)], [values], [packed]))
  kept, sent = self.put(self.room(packed, 6), 0, packed), torch.zeros_like(values)
  places = self.most_changed(values, sent, torch.zeros([2], dtype=6, device=like.device), 0, 4, 0)
  out = out + [places, self.put_parts(kept, 2, 0, values), self.put_at(kept, 0, places, self.taken_at(packed, places, 0))]
  return out + [self.total([packed, packed])]
