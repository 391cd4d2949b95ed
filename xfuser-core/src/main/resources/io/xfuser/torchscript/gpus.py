def count(self) -> int:
  return ops.cuda.device_count()
