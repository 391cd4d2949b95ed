"""Takes one step with diffusers each time it is told to: the same protocol as the Java StepServer.

`step eager`, `step compiled` and `step bound` answer with the seconds taken and the process's CPU seconds,
`save eager FILE` writes the prediction.
First it writes the model and its inputs, which the Java side reads, to the folder given.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from bound import Bound
from step_models import MODELS

SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--dtype", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--side", type=int, help="latents along each side of a picture")
    parser.add_argument("--text_tokens", type=int, help="so many of the text's at most")
    args = parser.parse_args()
    # Nothing but answers may reach the standard output.
    answers, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    serve(args, answers)


def serve(args: argparse.Namespace, answers) -> None:
    model = MODELS[args.model]
    dtype = getattr(torch, args.dtype)
    torch.manual_seed(SEED)
    transformer = model.transformer().to(dtype).eval()
    model.write(transformer, args.folder)
    inputs = model.inputs(torch.Generator().manual_seed(SEED), args.side or model.side, transformer.config)
    inputs = first_of_text(inputs, args.text_tokens)
    inputs = {name: x.to(dtype) if x.is_floating_point() else x for name, x in inputs.items()}
    save_file(inputs, args.folder / "inputs.safetensors")
    # On a GPU, products of fp32 are exact ones there as here.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.set_default_device(args.device)  # for what the calls below make themselves
    transformer.to(args.device)
    inputs = {name: x.to(args.device) for name, x in inputs.items()}
    synchronize = torch.cuda.synchronize if args.device.startswith("cuda") else lambda: None
    eager, compiled = transformer, torch.compile(transformer)
    variants = {
        "eager": lambda: model.forward(eager, inputs, model.timestep),
        "compiled": lambda: model.forward(compiled, inputs, model.timestep),
    }
    variants["bound"] = Bound(transformer, variants["eager"])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        command, variant, *rest = line.split(maxsplit=2)
        try:
            synchronize()
            start, cpu_start = time.perf_counter(), time.process_time()
            prediction = variants[variant]()
            synchronize()
            seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        except Exception as e:  # torch.compile needs a C++ compiler; the others go on without it
            print(f"failed: {str(e).strip().splitlines()[0]}", file=answers, flush=True)
            continue
        if command == "save":
            save_file({"prediction": prediction.contiguous().cpu()}, rest[0].strip())
            print("saved", file=answers, flush=True)
        else:
            print(seconds, cpu_seconds, file=answers, flush=True)


def first_of_text(inputs: dict[str, torch.Tensor], tokens: int | None) -> dict[str, torch.Tensor]:
    """With `tokens` of each text at most, and of its mask; pooled texts and labels have none."""

    def cut(name: str, x: torch.Tensor) -> torch.Tensor:
        sequence = name.startswith("text.") and (x.dim() == 3 or "mask" in name)
        return x[:, :tokens].contiguous() if sequence else x

    return {name: cut(name, x) for name, x in inputs.items()}


if __name__ == "__main__":
    main()
