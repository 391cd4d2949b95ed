# CLIP's text encoder (arXiv 2103.00020), as in transformers' modeling_clip.py. B batch, T tokens, C width, H heads, F width of
# the feed-forward layer, P width of the projection.

def embed(self, ids: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # ids (B, T) -> (B, T, C)
  x = self.embedded(w, "text_model.embeddings.token_embedding", ids)
  return self.at_positions(x, w["text_model.embeddings.position_embedding.weight"])

def clip_layer(self, x: Tensor, w: Dict[str, Tensor], bias: Tensor, heads: int, activation: str, eps: float) -> Tensor:
  # x (B, T, C) -> (B, T, C)
  return self.layer(x, w, [bias], heads, activation, eps)

def layer(self, x: Tensor, w: Dict[str, Tensor], bias: List[Tensor], heads: int, activation: str, eps: float) -> Tensor:
  # x (B, T, C) -> (B, T, C): each half of the layer sees a normed input
  h = self.layer_norm(x, w, "layer_norm1", eps)
  mixed = self.self_attention(h, w, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", bias, heads)
  x = self.linear_add(mixed, w, "self_attn.out_proj", x)
  inner = self.linear(self.layer_norm(x, w, "layer_norm2", eps), w, "mlp.fc1")  # (B, T, F)
  return self.linear_add(self.activated(inner, activation), w, "mlp.fc2", x)

def pooled(self, x: Tensor, ids: Tensor, w: Dict[str, Tensor], eps: float, eos: int) -> Tensor:
  # x (B, T, C), ids (B, T) -> (B, C): the normed state at each text's end
  if eos == 2:
    # configurations from before huggingface/transformers#24773: the end has the highest id
    end = torch.argmax(ids, 1)  # (B)
  else:
    end = torch.argmax((ids == eos).to(4), 1)
  rows = torch.arange(x.size(0), dtype=4, device=x.device)
  return self.layer_norm(x, w, "text_model.final_layer_norm", eps)[rows, end]

def projected(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, C) -> (B, P)
  return self.linear(x, w, "text_projection")
