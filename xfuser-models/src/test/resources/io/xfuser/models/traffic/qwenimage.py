# Qwen-Image: B 1, L 4096 (1024 × 1024 pixels), T 256, C 3072, H 24, D 128

def block(self) -> int:
  like = self.bfloat16()
  w = self.layers(like, {"attn.to_qkv": [9216, 3072], "attn.to_added_qkv": [9216, 3072], "attn.to_out.0": [3072, 3072],
                         "attn.to_add_out": [3072, 3072], "img_mlp.net.0.proj": [12288, 3072], "img_mlp.net.2": [3072, 12288],
                         "txt_mlp.net.0.proj": [12288, 3072], "txt_mlp.net.2": [3072, 12288]})
  w = self.norms(like, ["attn.norm_qk", "attn.norm_added_qk"], 128, w)
  x, m = [self.of(like, [1, 4096, 3072]), self.of(like, [1, 256, 3072])], self.of(like, [12, 1, 1, 3072])
  rotation = [self.exact(like, [4096, 64, 2]), self.exact(like, [256, 64, 2])]
  of_both = self.by_token(m, annotate(List[Tensor], []))
  packed = self.rest(self.before(x, of_both, w, 128), x, of_both, rotation, w)
  return len(self.after(x, self.attended_heads(packed), of_both, w, [0, 2, 1]))
