"""Times rank selection beside NumPy and PyTorch, all in one run: python bench/bench_rank.py

For each row of the grid and each kind: our auto plan, every feasible algorithm, NumPy's partition
and sort, torch.topk (torch.median and torch.sort for the central elements), and one streaming read
of the same bytes on the same threads (the program bench_rank of the release preset, where it is
built). The contenders take turns, so that drift of the machine hits all alike; before its turn each
waits until the peers' threads have stopped spinning. "x" is the peer's time divided by ours.
"""

import argparse
import importlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

from bench_core import optional

GRID = [
    (1, 10_000_000, 100),
    (64, 65536, 128),
    (1024, 65536, 32),
    (4096, 4096, 64),
    (1000, 100_000, 256),
    (16, 1_000_000, 2048),
    (1, 100_000, 1),
    (100_000, 128, 8),
]
ROOT = pathlib.Path(__file__).resolve().parents[1]


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--rows", type=int, nargs="*", help="rows of the grid, from 0; default all")
    p.add_argument("--program", default=ROOT / "build/release/bench/bench_rank")
    return p.parse_args()


def median_times(calls, rounds=3, seconds=0.3, most=30):
    """Milliseconds of each call: medians over rounds in which the contenders take turns."""
    times = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            time.sleep(0.25)
            start = time.perf_counter()
            for _ in range(most):
                before = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - before)
                if time.perf_counter() - start > seconds:
                    break
    return {name: statistics.median(t) * 1e3 for name, t in times.items()}


def floor_of(program, rows, cols, threads):
    if not pathlib.Path(program).exists():
        return None
    env = {**os.environ, "SPIRALTORCH_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [program, "floor", str(rows), str(cols)],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    return float(done.stdout)


def peers(np, torch, kind, x, k):
    """Calls that give values and indices of the same elements."""
    rows, cols = x.shape
    first = (cols - k) // 2

    def partition(kth, part):
        found = np.argpartition(x, kth, axis=1)[:, part]
        values = np.take_along_axis(x, found, 1)
        return np.take_along_axis(found, np.argsort(values, axis=1), 1)

    calls = {}
    if kind == "topk":
        calls["numpy"] = lambda: partition(cols - k, slice(cols - k, None))
    elif kind == "bottomk":
        calls["numpy"] = lambda: partition(k - 1, slice(0, k))
    else:
        calls["numpy"] = lambda: partition([first, first + k - 1], slice(first, first + k))
    if torch is None:
        return calls
    t = torch.from_numpy(x)
    if kind == "midk":
        if k == 1:
            calls["torch"] = lambda: torch.median(t, 1)
        else:
            calls["torch"] = lambda: [part[:, first : first + k] for part in torch.sort(t, 1)]
    else:
        calls["torch"] = lambda: torch.topk(t, k, 1, largest=kind == "topk")
    return calls


def report(title, times, floor, worst):
    best = min(v for name, v in times.items() if name not in ("numpy", "torch", "ascending"))
    line = f"{title} auto {times['auto']:9.3f} ms"
    for peer in ("torch", "numpy"):
        if peer in times:
            line += f"  {peer} {times[peer]:10.3f} ({times[peer] / times['auto']:6.1f}x)"
    if floor is not None:
        line += f"  floor {floor:7.3f} ({times['auto'] / floor:5.2f})"
    line += f"  auto/best {times['auto'] / best:4.2f}"
    if worst is not None:
        line += f"  sorted/random {worst / times['auto']:4.2f}"
    print(line, flush=True)


def run_row(st, np, torch, args, rows, cols, k):
    x = np.random.default_rng(1).standard_normal((rows, cols), dtype=np.float32)
    ours = st.Tensor.from_array(x)
    ascending = st.Tensor.from_array(
        np.ascontiguousarray(np.broadcast_to(np.arange(cols, dtype=np.float32), (rows, cols)))
    )
    floor = floor_of(args.program, rows, cols, args.threads)
    for kind in ("topk", "bottomk", "midk", "median"):
        wanted = 1 if kind == "median" else k
        kind = "midk" if kind == "median" else kind
        select = getattr(st, kind)
        calls = {"auto": lambda select=select, wanted=wanted: select(ours, wanted)}
        plan = st.plan(kind, rows, cols, wanted, "cpu")
        for name in ("argreduce", "reservoir", "quickselect", "radix"):
            try:
                other = plan.replace(algorithm=name)
            except st.InvalidArgument:
                continue
            calls[name] = lambda other=other: st.rank(other, ours)
        if kind == "topk":
            calls["ascending"] = lambda select=select, wanted=wanted: select(ascending, wanted)
        calls.update(peers(np, torch, kind, x, wanted))
        times = median_times(calls)
        title = f"{rows:>7}x{cols:<9} k={wanted:<5} {kind:<8} {plan.algorithm:<11}"
        report(title, times, floor, times.get("ascending"))


def main():
    args = parse()
    os.environ["SPIRALTORCH_NUM_THREADS"] = str(args.threads)
    np = importlib.import_module("numpy")
    torch = optional("torch")
    st = importlib.import_module("spiraltorch")
    if torch is not None:
        torch.set_num_threads(args.threads)
    print(
        f"{args.threads} threads, {st.describe_device('cpu')['arch']}, NumPy {np.__version__}, "
        f"PyTorch {torch.__version__ if torch else 'absent'}",
        flush=True,
    )
    for i, (rows, cols, k) in enumerate(GRID):
        if args.rows is None or i in args.rows:
            run_row(st, np, torch, args, rows, cols, k)


if __name__ == "__main__":
    sys.exit(main())
