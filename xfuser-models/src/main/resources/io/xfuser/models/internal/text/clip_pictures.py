# CLIP's picture encoder (arXiv 2103.00020), as in transformers' modeling_clip.py. A picture of n patches, each p by p pixels, is
# N = n + 1 tokens: the first stands for all of it. C width, H heads.

def patches(self, pixels: Tensor, p: int, factor: float, means: List[float], deviations: List[float], dtype: int) -> Tensor:
  # 8-bit pixels (H, W, 3) -> (1, n, 3·p·p), without what is left over at the right and below
  x = self.in_colours(pixels, factor, means, deviations).permute([2, 0, 1])
  x = x.slice(1, 0, x.size(1) // p * p).slice(2, 0, x.size(2) // p * p)
  x = x.reshape([3, x.size(1) // p, p, x.size(2) // p, p]).permute([1, 3, 0, 2, 4])
  return torch.to(x.reshape([1, -1, 3 * p * p]), dtype)

def embed_patches(self, patches: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # (1, n, 3·p·p) -> (1, N, C)
  x = self.linear(patches, w, "embeddings.patch_embedding")
  x = torch.cat([w["embeddings.class_embedding"].view([1, 1, -1]), x], 1) + w["embeddings.position_embedding.weight"]
  return self.layer_norm(x, w, "pre_layrnorm", eps)

def embed_placed_patches(self, patches: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # SigLIP's (arXiv 2303.15343): the same without a token for all of it, and without a norm, (1, n, 3·p·p) -> (1, n, C)
  return self.linear(patches, w, "embeddings.patch_embedding") + w["embeddings.position_embedding.weight"]

def no_states(self, w: Dict[str, Tensor]) -> Tensor:
  # zeros in the place of a picture's states (1, n, C)
  return torch.zeros_like(w["embeddings.position_embedding.weight"]).unsqueeze(0)

def picture_layer(self, x: Tensor, w: Dict[str, Tensor], heads: int, activation: str, eps: float) -> Tensor:
  # (1, N, C) -> (1, N, C): all tokens see all
  return self.layer(x, w, annotate(List[Tensor], []), heads, activation, eps)

def seen(self, x: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # states after the last layer (1, N, C) -> what the picture is seen as (1, 1, P)
  return self.linear(self.layer_norm(x.slice(1, 0, 1), w, "post_layernorm", eps), w, "visual_projection")
