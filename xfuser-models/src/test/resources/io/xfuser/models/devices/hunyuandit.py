# after: parts/layer_norms
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 2, D 8, M 64, E 12; T5 of 3 tokens, width 8, BERT's 2 tokens
  w = self.layers(like, {"norm1.norm": [16], "norm1.linear": [16, 16], "attn1.to_qkv": [48, 16], "attn1.to_out.0": [16, 16], "norm2": [16], "attn2.to_q": [16, 16],
                         "attn2.norm_q": [8], "attn2.to_kv": [32, 12], "attn2.norm_k": [8], "attn2.to_out.0": [16, 16],
                         "norm3": [16], "ff.net.0.proj": [64, 16], "ff.net.2": [16, 64], "skip_norm": [32],
                         "skip_linear": [16, 32]})
  x, t, text = self.of(like, [2, 6, 16]), self.of(like, [2, 16]), self.of(like, [2, 5, 12])
  at = torch.zeros([6, 4], dtype=4, device=like.device)
  rotation = self.rotation(at, 2, 3, 8)
  w["attn1.norm_qk.weight"], w["attn1.norm_qk.bias"] = self.of(like, [2, 8]), self.of(like, [2, 8])
  m = self.modulation(t, w)
  out = [rotation, self.join_skip(x, x, w), m, self.norm_turn_(self.before_attention(x, m, w, 8), rotation, w)]
  kv = self.text_key_values(text, w, 8)
  out = out + [kv, self.after_attention(x, self.of(like, [2, 6, 2, 8]), kv, rotation, w, [0, 3, 1])]
  more = self.bias_as_neuron([w["ff.net.0.proj.weight"], w["ff.net.0.proj.bias"]], [w["ff.net.2.weight"], w.pop("ff.net.2.bias")])
  w["ff.net.0.proj.weight"], w["ff.net.0.proj.bias"], w["ff.net.2.weight"] = more[0], more[1], more[2]
  out = out + more + [self.after_attention(x, self.of(like, [2, 6, 2, 8]), kv, rotation, w, [0, 3, 1])]
  pooler, embedder = "time_extra_emb.pooler", "time_extra_emb."
  c = self.layers(like, {"text_embedder.linear_1": [32, 8], "text_embedder.linear_2": [12, 32], pooler + ".q_proj": [8, 8],
                         pooler + ".kv_proj": [16, 8], pooler + ".c_proj": [10, 8],
                         embedder + "timestep_embedder.linear_1": [16, 256], embedder + "timestep_embedder.linear_2": [16, 16],
                         embedder + "extra_embedder.linear_1": [64, 1562], embedder + "extra_embedder.linear_2": [16, 64]})
  c["text_embedding_padding"] = self.of(like, [5, 12])
  c[pooler + ".positional_embedding"] = self.of(like, [4, 8])
  c[embedder + "style_embedder.weight"] = self.of(like, [1, 16])
  t5, ones = self.of(like, [2, 3, 8]), self.of(like, [2, 3])
  out.append(self.text(self.of(like, [2, 2, 12]), t5, self.of(like, [2, 2]), ones, c))
  extra = self.extra(t5, [64., 64., 64., 64., 0., 0.], True, c)
  return out + [extra, self.timestep(3., extra, c)]
