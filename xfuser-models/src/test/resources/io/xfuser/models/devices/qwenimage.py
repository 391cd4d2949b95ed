# after: joint/stream
# not called: image_rotation
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 2, D 8, N 64
  w = self.layers(like, {"img_mod.1": [96, 16], "txt_mod.1": [96, 16], "attn.to_qkv": [48, 16], "attn.to_added_qkv": [48, 16],
                         "attn.to_out.0": [16, 16], "attn.to_add_out": [16, 16], "img_mlp.net.0.proj": [64, 16],
                         "img_mlp.net.2": [16, 64], "txt_mlp.net.0.proj": [64, 16], "txt_mlp.net.2": [16, 64]})
  for norm in ["attn.norm_qk", "attn.norm_added_qk"]:
    w[norm + ".weight"] = self.of(like, [2, 8])
  c = self.layers(like, {"img_in": [16, 4], "txt_in": [16, 9], "time_text_embed.timestep_embedder.linear_1": [16, 256],
                         "time_text_embed.timestep_embedder.linear_2": [16, 16]})
  c["txt_norm.weight"] = self.of(like, [9])
  t = self.condition(500., like, c)
  m = self.modulation(t, w)
  x, text = self.embed(self.of(like, [2, 6, 4]), c), self.embed_text(self.of(like, [2, 5, 9]), c)
  rotation = [self.text_rotation(y, 3, [2, 2, 4]) for y in [x, text]]
  out = [t, m, x, text] + rotation
  for streams in [[x], [x, text]]:
    packed = self.before(streams, m, rotation, w, 8)
    out = out + [packed] + self.after(streams, packed.select(2, 0), m, w, [0, 2, 1])
  mask = torch.ones([2, 5], dtype=4, device=like.device)
  return out + [self.without_template(text, mask, 2, 4)]
