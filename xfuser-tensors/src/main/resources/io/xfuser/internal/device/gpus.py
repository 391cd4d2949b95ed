def count(self) -> int:
  return ops.cuda.device_count()

def enter(self, gpu: int) -> int:
  ops.cuda._set_device(gpu)
  return ops.cuda._current_device()
