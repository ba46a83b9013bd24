"""The WebGPU back end beside PyTorch on the same NVIDIA card, one run: python bench/bench_wgpu.py

Runs the program bench_wgpu of a release build (--program) and times the same work by PyTorch on
CUDA, eager. Both enqueue calls and wait once; medians of rounds, in milliseconds. "x" is PyTorch's
time divided by ours. Needs a Vulkan driver for the card (SPIRALTORCH_LIB_WGPU_NATIVE names
wgpu-native where the program stands alone) and PyTorch.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import time

import torch

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINE = re.compile(r"^(?P<name>.+?) +(?P<ms>[\d.]+) ms +(?P<rate>[\d.]+) (?P<unit>\S+)")


def milliseconds(call, repeats=10, rounds=15):
    times = []
    for _ in range(rounds + 2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / repeats * 1e3)
    return statistics.median(times[2:])


def dist(x, y):
    """Poincaré distance as the textbook's acosh form, several kernels."""
    difference = (x - y).square().sum(1)
    scale = (1 - x.square().sum(1)) * (1 - y.square().sum(1))
    return torch.acosh(1 + 2 * difference / scale)


def expmap(x, v):
    """exp_x(v) by Möbius addition, as geoopt writes it."""
    norm = v.norm(dim=1, keepdim=True).clamp_min(1e-15)
    scale = 2 / (1 - x.square().sum(1, keepdim=True))
    y = torch.tanh(scale * norm / 2) * v / norm
    xx, yy = x.square().sum(1, keepdim=True), y.square().sum(1, keepdim=True)
    xy = (x * y).sum(1, keepdim=True)
    return ((1 + 2 * xy + yy) * x + (1 - xx) * y) / (1 + 2 * xy + xx * yy)


def contenders():
    def random(*shape):
        return torch.randn(*shape, device="cuda")

    def binary(shape, scale, call):
        x, y = random(*shape) * scale, random(*shape) * scale
        return lambda: call(x, y)

    big = (1 << 13, 1 << 13)
    out = {
        "copy 1 GiB": binary((1 << 14, 1 << 14), 1, lambda x, y: y.copy_(x)),
        "add 64M": binary(big, 1, torch.add),
        "exp 64M": binary(big, 1, lambda x, _: x.exp()),
        "tanh 64M": binary(big, 1, lambda x, _: x.tanh()),
        "softmax 8192x8192": binary(big, 1, lambda x, _: x.softmax(1)),
        "sum 64M": binary(big, 1, lambda x, _: x.sum()),
        "sum rows 8192x8192": binary(big, 1, lambda x, _: x.sum(1)),
        "transpose 8192x8192": binary(big, 1, lambda x, _: x.t().contiguous()),
        "small add": binary((16, 16), 1, torch.add),
        "dist 1000000x64": binary((1000000, 64), 0.05, dist),
        "expmap 1000000x64": binary((1000000, 64), 0.05, expmap),
    }
    matrix, vector = random(1 << 14, 1 << 14), random(1 << 14, 1)
    out["matvec 16384"] = lambda: matrix @ vector
    for n in (512, 1024, 4096):
        out[f"matmul {n}"] = binary((n, n), 1, torch.matmul)
    for rows, cols, k in (
        (64, 65536, 128),
        (1024, 65536, 32),
        (1, 10000000, 100),
        (4096, 4096, 64),
        (1000, 100000, 256),
        (16, 1000000, 2048),
    ):
        out[f"topk {rows}x{cols} {k}"] = binary((rows, cols), 1, lambda x, _, k=k: x.topk(k))
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", default=ROOT / "build/release/bench/bench_wgpu")
    p.add_argument("names", nargs="*", help="beginnings of figures' names; default all")
    args = p.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}")
    done = subprocess.run(
        [str(args.program), *args.names], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    print(lines[0])
    print("| work | ms | rate | PyTorch ms | x |\n|---|---|---|---|---|")
    calls = contenders()
    for line in lines[1:]:
        match = LINE.match(line)
        if match is None:
            print(line)
            continue
        peer = milliseconds(calls[match["name"]])
        ours = float(match["ms"])
        rate = f"{match['rate']} {match['unit']}"
        print(f"| {match['name']} | {ours:.4f} | {rate} | {peer:.4f} | {peer / ours:.2f} |")
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
