# Z-Image: B 2, L 4096 (1024 × 1024 pixels), T 64, C 3840, H 30, D 128, N 10240

def block(self) -> int:
  like = self.bfloat16()
  w = annotate(Dict[str, Tensor], {})
  shapes = {"attention.to_qkv": [11520, 3840], "attention.to_out.0": [3840, 3840], "feed_forward.w13": [20480, 3840],
            "feed_forward.w2": [3840, 10240], "attention_norm1": [3840], "attention_norm2": [3840], "ffn_norm1": [3840],
            "ffn_norm2": [3840]}
  for name, shape in shapes.items():
    w[name + ".weight"] = self.of(like, shape)
  w = self.norms(like, ["attention.norm_qk"], 128, w)
  x, m = [self.of(like, [2, 4096, 3840]), self.of(like, [2, 64, 3840])], self.of(like, [4, 1, 3840])
  rotation = [self.exact(like, [2, 4096, 64, 2]), self.exact(like, [2, 64, 64, 2])]
  packed, tokens = self.before(x, 0, m, w, 128, 1e-5)
  attended = self.attended_heads(self.rest(packed, x, 0, rotation, w))
  h, more = self.middle(tokens, self.attended(attended, w), m, w, 1e-5)
  return len(self.after(x, 0, h, more, m, w, 1e-5))
