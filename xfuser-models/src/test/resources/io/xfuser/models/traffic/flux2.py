# Flux.2 dev: B 1, L 4096 (1024 × 1024 pixels), T 512, C 6144, H 48, D 128, N 18432

def double_block(self) -> int:
  like = self.bfloat16()
  w = annotate(Dict[str, Tensor], {})
  shapes = {"attn.to_qkv": [18432, 6144], "attn.to_added_qkv": [18432, 6144], "attn.to_out.0": [6144, 6144],
            "attn.to_add_out": [6144, 6144], "ff.linear_in": [36864, 6144], "ff.linear_out": [6144, 18432],
            "ff_context.linear_in": [36864, 6144], "ff_context.linear_out": [6144, 18432]}
  for name, shape in shapes.items():
    w[name + ".weight"] = self.of(like, shape)
  w = self.norms(like, ["attn.norm_qk", "attn.norm_added_qk"], 128, w)
  x, v = [self.of(like, [1, 4096, 6144]), self.of(like, [1, 512, 6144])], self.of(like, [1, 98304])
  packed = self.double_before(x, v, w, 128, 1e-6)
  packed = self.double_rest(packed, x, v, self.exact(like, [4608, 64, 2]), w, 1e-6)
  return len(self.double_after(x, self.attended_heads(packed), v, w, 1e-6, [0, 2, 1]))

def single_block(self) -> int:
  like = self.bfloat16()
  w = annotate(Dict[str, Tensor], {})
  shapes = {"attn.to_qkv_mlp_proj.0": [18432, 6144], "attn.to_qkv_mlp_proj.1": [36864, 6144], "attn.to_out.0": [6144, 6144],
            "attn.to_out.1": [6144, 18432]}
  for name, shape in shapes.items():
    w[name + ".weight"] = self.of(like, shape)
  w = self.norms(like, ["attn.norm_qk"], 128, w)
  x, v = [self.of(like, [1, 4096, 6144]), self.of(like, [1, 512, 6144])], self.of(like, [1, 98304])
  packed, n = self.single_before(x, v, w, 128, 1e-6)
  packed = self.single_rest(packed, self.exact(like, [4608, 64, 2]), w, 1e-6)
  return len(self.single_after(x, self.attended_heads(packed), n, v, w, [0, 1, 1]))
