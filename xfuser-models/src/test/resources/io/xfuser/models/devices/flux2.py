# after: joint/rotary
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 2, D 8, N 12
  double = self.layers(like, {"attn.to_qkv": [48, 16], "attn.to_added_qkv": [48, 16], "attn.to_out.0": [16, 16],
                              "attn.to_add_out": [16, 16], "ff.linear_in": [24, 16], "ff.linear_out": [16, 12],
                              "ff_context.linear_in": [24, 16], "ff_context.linear_out": [16, 12]})
  single = self.layers(like, {"attn.to_qkv_mlp_proj.0": [48, 16], "attn.to_qkv_mlp_proj.1": [24, 16], "attn.to_out.0": [16, 16],
                              "attn.to_out.1": [16, 12]})
  for norm in ["attn.norm_qk", "attn.norm_added_qk"]:
    double[norm + ".weight"] = self.of(like, [2, 8])
    single[norm + ".weight"] = self.of(like, [2, 8])
  c = self.layers(like, {"x_embedder": [16, 4], "context_embedder": [16, 9], "norm_out.linear": [32, 16], "proj_out": [4, 16],
                         "double_stream_modulation_img.linear": [96, 16], "double_stream_modulation_txt.linear": [96, 16],
                         "single_stream_modulation.linear": [48, 16]})
  for number in ["time_guidance_embed.timestep_embedder", "time_guidance_embed.guidance_embedder"]:
    c.update(self.layers(like, {number + ".linear_1": [16, 256], number + ".linear_2": [16, 16]}))
  text = self.embed_text(self.of(like, [2, 5, 9]), c)
  x = self.embed(self.of(like, [2, 6, 4]), c)
  v = self.condition(500., [3.5], text, c)
  rotation = self.rotation(text, torch.zeros([6, 4], dtype=4, device=like.device), [2, 2, 2, 2], 2000.)
  out = [text, x, v, rotation, self.modulation(v, 1, 12), self.predict(x, v, c, 1e-6), self.finite(torch.to(x, 5))]
  for streams, turns in [([x], rotation.slice(0, 5, 11)), ([x, text], rotation)]:
    packed = self.double_before(streams, v, double, 8, 1e-6)
    self.double_rest(packed, streams, v, turns, double, 1e-6)
    attended = packed[:, :, 0]
    out = out + [packed] + self.double_after(streams, attended, v, double, 1e-6, [0, 2, 1])
    packed, both = self.single_before(streams, v, single, 8, 1e-6)
    self.single_rest(packed, turns, single, 1e-6)
    out = out + [packed] + self.single_after(streams, attended, both, v, single, [0, 1, 1])
  return out
