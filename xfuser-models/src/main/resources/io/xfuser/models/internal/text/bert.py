# BERT (arXiv 1810.04805), as in transformers' modeling_bert.py. B batch, T tokens, C width, H heads, F width of the
# feed-forward layer.

def embed(self, ids: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # ids (B, T) -> (B, T, C); all tokens have the first type
  tokens = self.embedded(w, "word_embeddings", ids)
  x = tokens + w["token_type_embeddings.weight"][0]
  x = self.at_positions(x, w["position_embeddings.weight"])
  return self.layer_norm(x, w, "LayerNorm", eps)

def bert_layer(self, x: Tensor, w: Dict[str, Tensor], bias: Tensor, heads: int, activation: str, eps: float) -> Tensor:
  # x (B, T, C) -> (B, T, C): the sum after each half of the layer is normed
  mixed = self.self_attention(
      x, w, "attention.self.query", "attention.self.key", "attention.self.value", [bias], heads)
  x = self.layer_norm(self.linear_add(mixed, w, "attention.output.dense", x), w, "attention.output.LayerNorm", eps)
  inner = self.activated(self.linear(x, w, "intermediate.dense"), activation)  # (B, T, F)
  return self.layer_norm(self.linear_add(inner, w, "output.dense", x), w, "output.LayerNorm", eps)
