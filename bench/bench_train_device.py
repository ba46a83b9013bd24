"""Training steps on a card beside PyTorch: python bench/bench_train_device.py [program].

Runs the program bench_train_device on WebGPU and, where PyTorch with CUDA is importable, the same
networks eagerly and as a CUDA graph, in one run.
"""

import subprocess
import sys
import time

NETWORKS = [(64, 64, 10, 64, 200), (784, 512, 10, 256, 100), (1024, 4096, 1024, 1024, 20)]


def peer():
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    for inputs, hidden, outputs, batch, steps in NETWORKS:
        model = torch.nn.Sequential(
            torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs)
        ).cuda()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        x, y = torch.randn(batch, inputs).cuda(), torch.randn(batch, outputs).cuda()

        def step(model=model, optimizer=optimizer, x=x, y=y):
            optimizer.zero_grad(set_to_none=False)
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        def best(run, steps=steps, read=None):
            least = 1e9
            for _ in range(8):
                torch.cuda.synchronize()
                start = time.perf_counter()
                for _ in range(steps):
                    run()
                    if read is not None:
                        read()
                torch.cuda.synchronize()
                least = min(least, (time.perf_counter() - start) / steps)
            return 1e3 * least

        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.synchronize()
        reported = best(lambda step=step: step().item())
        eager = best(step)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        print(
            f"PyTorch {inputs}-{hidden}-{outputs}, batch {batch}: eager {eager:.4f} ms a step,"
            f" with its loss read {reported:.4f}, as a CUDA graph {best(graph.replay):.4f}"
        )


def main(program="build/release/bench/bench_train_device"):
    subprocess.run([program, "wgpu"], check=True)
    try:
        peer()
    except ImportError:
        print("PyTorch is not importable: no figures beside ours")


if __name__ == "__main__":
    main(*sys.argv[1:])
