# Flux.1: B 1, L 4096 (1024 × 1024 pixels), T 512, C 3072, H 24, D 128

def double_block(self) -> int:
  like = self.bfloat16()
  w = self.layers(like, {"attn.to_qkv": [9216, 3072], "attn.to_added_qkv": [9216, 3072], "attn.to_out.0": [3072, 3072],
                         "attn.to_add_out": [3072, 3072], "ff.net.0.proj": [12288, 3072], "ff.net.2": [3072, 12288],
                         "ff_context.net.0.proj": [12288, 3072], "ff_context.net.2": [3072, 12288]})
  w = self.norms(like, ["attn.norm_qk", "attn.norm_added_qk"], 128, w)
  x, m = [self.of(like, [1, 4096, 3072]), self.of(like, [1, 512, 3072])], self.of(like, [12, 1, 1, 3072])
  packed = self.double_rest(self.double_before(x, m, w, 128), x, m, self.exact(like, [4096, 64, 2]), w)
  return len(self.double_after(x, self.attended_heads(packed), m, w, [0, 2, 1]))

def single_block(self) -> int:
  like = self.bfloat16()
  w = self.layers(like, {"attn.to_qkv": [9216, 3072], "proj_mlp": [12288, 3072], "proj_out.0": [3072, 3072]})
  w["proj_out.1.weight"] = self.of(like, [3072, 12288])
  w = self.norms(like, ["attn.norm_qk"], 128, w)
  x, m = [self.of(like, [1, 4096, 3072]), self.of(like, [1, 512, 3072])], self.of(like, [3, 1, 1, 3072])
  packed, n = self.single_before(x, m, w, 128)
  packed = self.single_rest(packed, self.exact(like, [4096, 64, 2]), w)
  return len(self.single_after(x, self.attended_heads(packed), n, m, w, [0, 1, 1]))
