# not called: caption
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, K 32, T 37, C 16, H 2, D 8, N 12, E 16
  w = self.layers(like, {"adaLN_modulation.0": [64, 16], "attention.to_qkv": [48, 16], "attention.to_out.0": [16, 16],
                         "feed_forward.w13": [24, 16], "feed_forward.w2": [16, 12]})
  for norm in ["attention_norm1", "attention_norm2", "ffn_norm1", "ffn_norm2"]:
    w[norm + ".weight"] = self.of(like, [16])
  w["attention.norm_qk.weight"] = self.of(like, [2, 8])
  c = self.layers(like, {"t_embedder.mlp.0": [20, 256], "t_embedder.mlp.2": [16, 20], "all_x_embedder.2-1": [16, 4],
                         "all_final_layer.2-1.adaLN_modulation.1": [16, 16], "all_final_layer.2-1.linear": [4, 16]})
  c["x_pad_token"] = self.of(like, [1, 16])
  t = self.condition(500., like, c)
  m = self.modulation(t, w)
  mask = torch.ones([2, 32], dtype=4, device=like.device)
  caption = self.of(like, [2, 32, 16])
  text = self.text(caption, mask, 5, c)
  turns = self.text_rotation(text[0], 32, [2, 2, 4], 256.)
  at = torch.zeros([6, 4], dtype=4, device=like.device)
  rotation = [self.image_rotation(at, mask, [2, 2, 4], 256.), turns]
  x = self.embed(self.of(like, [2, 6, 4]), c)
  out = [t, m, x, self.predict(x, t, c)] + text + rotation
  out = out + [self.refined(caption, mask, turns.slice(1, 0, 32), w, 8, 1e-5)]
  for streams, left in [([x], 0), ([x, text[0]], 0), ([x, text[0]], 32), ([x, caption], 32)]:
    before = self.before(streams, left, m, w, 8, 1e-5)
    self.rest(before[0], streams, left, rotation, w)
    y = self.attended(before[0].select(2, 0), w)
    middle = self.middle(before[1], y, m, w, 1e-5)
    out = out + before + middle + self.after(streams, left, middle[0], middle[1], m, w, 1e-5)
  return out
