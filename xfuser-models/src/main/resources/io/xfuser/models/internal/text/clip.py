# What follows the layers of CLIP's text encoder, as in transformers' modeling_clip.py. B batch, T tokens, C width.

def pooled(self, x: Tensor, ids: Tensor, weight: Tensor, bias: Tensor, eps: float, eos: int) -> Tensor:
  # x (B, T, C), ids (B, T) -> (B, C): the normed state at each text's end
  if eos == 2:
    # configurations from before huggingface/transformers#24773: the end has the highest id
    end = torch.argmax(ids, 1)  # (B)
  else:
    end = torch.argmax((ids == eos).to(4), 1)
  rows = torch.arange(x.size(0), dtype=4, device=x.device)
  return self.normal(x, weight, bias, eps)[rows, end]

def projected(self, x: Tensor, weight: Tensor) -> Tensor:
  # (B, C), (P, C) -> (B, P)
  return self.linear_alone(x, weight)
