# Two streams of one GPU, the default one and one for copies (torch/csrc/jit/cuda/cuda.h).

def stream(self, gpu: int) -> __torch__.torch.classes.cuda.Stream:
  return __torch__.torch.classes.cuda.Stream(torch.device("cuda", gpu), 0)

def enter(self, stream: __torch__.torch.classes.cuda.Stream) -> int:
  # the calling thread's work goes there from now on
  ops.cuda.set_stream(stream)
  return 0

def leave(self, gpu: int) -> int:
  ops.cuda.set_stream(ops.cuda.default_stream(gpu))
  return 0

def record(self, gpu: int) -> __torch__.torch.classes.cuda.Event:
  # after all that the calling thread's stream was given so far
  event = __torch__.torch.classes.cuda.Event(False, False, False)
  event.record(ops.cuda.current_stream(gpu))
  return event

def wait(self, gpu: int, event: __torch__.torch.classes.cuda.Event) -> int:
  # the calling thread's stream goes on after the event
  event.wait(ops.cuda.current_stream(gpu))
  return 0
