# Events in the stream in which the calling thread computes (torch/csrc/jit/cuda/cuda.h).

def record(self, gpu: int) -> __torch__.torch.classes.cuda.Event:
  # with a time; who waits for it sleeps
  event = __torch__.torch.classes.cuda.Event(True, True, False)
  event.record(ops.cuda.current_stream(gpu))
  return event

def synchronize(self, event: __torch__.torch.classes.cuda.Event) -> int:
  event.synchronize()
  return 0

def millis(self, start: __torch__.torch.classes.cuda.Event, end: __torch__.torch.classes.cuda.Event) -> float:
  return start.elapsed_time(end)
