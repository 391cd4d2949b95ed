# after: text/encoder
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, C 16, H 4, G 2, D 8, F 12, V 9
  w = self.layers(like, {"self_attn.q_proj": [32, 16], "self_attn.k_proj": [16, 16], "self_attn.v_proj": [16, 16],
                         "self_attn.o_proj": [16, 32], "mlp.gate_up_proj": [24, 16], "mlp.down_proj": [16, 12]})
  for norm in ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm", "norm"]:
    w[norm + ".weight"] = self.of(like, [16])
  for norm in ["self_attn.q_norm", "self_attn.k_norm"]:
    w[norm + ".weight"] = self.of(like, [8])
  w["embed_tokens.weight"] = self.of(like, [9, 16])
  ids = torch.zeros([2, 5], dtype=4, device=like.device)
  x = self.embed(ids, w, 2.)
  rotation = self.rotation(x, 8, 10000.)
  out = [x, self.embed_some(ids, w, 3, 1.), rotation, self.last_norm(x, w, 1e-6, False), self.last_norm(x, w, 1e-6, True)]
  bias = self.sliding_bias(self.causal_bias(x), 3)
  y = self.attended(x, w, rotation, bias, 8, 2., 1e-6)
  out = out + [y, self.with_attended(x, y, w, 1e-6), self.fed(x, w, 1e-6), self.with_fed(x, y, w, 1e-6)]
  at, places = torch.zeros([2], dtype=4, device=like.device), torch.zeros([5, 4], dtype=4, device=like.device)
  out = out + [self.rotation_at(x, places, 8, 10000.), self.with_pictures(x, at, annotate(List[Tensor], []))]
  out = out + [self.with_pictures(x, at, [self.of(like, [2, 16])])]
  for mask in [annotate(List[Tensor], []), [torch.ones([2, 5], dtype=4, device=like.device)]]:
    bias = self.bias(x, mask)
    out = out + [bias, self.layer(x, w, rotation, bias, 8, 1e-6, [0, 2, 1])]
  return out
