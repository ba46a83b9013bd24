"""Times the core beside its peers, all in one run: python bench/bench_core.py [--threads N …]

NumPy, PyTorch and geoopt are used where they can be imported. Each figure is the median of repeated
calls, taken in turn with the peers', so that drift of the machine hits all alike. "x" is the peer's
time divided by ours: above 1 we are faster.
"""

import argparse
import importlib
import importlib.util
import os
import statistics
import subprocess
import sys
import time


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    p.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return p.parse_args()


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def compete(name, unit, work, calls):
    """Prints the median time of each call; the calls take turns in batches.

    Before its batch each call waits: the peers' worker threads spin for some 200 ms after their
    last work, and would otherwise hold the cores that the next one needs.
    """
    times = {k: [] for k in calls}
    for _ in range(3):
        for k, f in calls.items():
            time.sleep(0.25)
            f()
            start = time.perf_counter()
            batch = 0
            while batch < 3 or (batch < 200 and time.perf_counter() - start < 0.3):
                before = time.perf_counter()
                f()
                times[k].append(time.perf_counter() - before)
                batch += 1
    median = {k: statistics.median(v) for k, v in times.items()}
    ours = median["spiraltorch"]
    line = f"{name:26} {1e3 * ours:10.3f} ms {work / ours:10.2f} {unit:10}"
    for k, s in median.items():
        if k != "spiraltorch":
            line += f"  {k} {1e3 * s:.3f} ms ({s / ours:.2f}x)"
    print(line, flush=True)


def bench(threads):
    import spiraltorch as st

    st.set_num_threads(threads)
    np, torch, geoopt = optional("numpy"), optional("torch"), optional("geoopt")
    if torch:
        torch.set_num_threads(threads)
    print(f"-- {threads} thread(s); peers: {[m.__name__ for m in (np, torch, geoopt) if m]}")

    for n in (64, 128, 256, 512, 1024, 2048):
        a, b = st.Tensor.rand(n, n, seed=1), st.Tensor.rand(n, n, seed=2)
        calls = {"spiraltorch": lambda a=a, b=b: a @ b}
        if np:
            na, nb = np.asarray(a), np.asarray(b)
            calls["numpy"] = lambda na=na, nb=nb: na @ nb
        if torch:
            ta, tb = torch.from_dlpack(a), torch.from_dlpack(b)
            calls["torch"] = lambda ta=ta, tb=tb: ta @ tb
        compete(f"matmul {n}", "GFLOP/s", 2e-9 * n**3, calls)

    a, b = st.Tensor.rand(1000, 10000, seed=1), st.Tensor.rand(1000, 10000, seed=2)
    calls = {"spiraltorch": lambda: a + b}
    if np:
        na, nb = np.asarray(a), np.asarray(b)
        calls["numpy"] = lambda: na + nb
    if torch:
        ta, tb = torch.from_dlpack(a), torch.from_dlpack(b)
        calls["torch"] = lambda: ta + tb
    compete("add 1e7, allocating", "GB/s", 0.12, calls)

    r = st.Tensor.randn(4096, 1024, seed=3)
    calls = {"spiraltorch": r.softmax}
    if torch:
        tr = torch.from_dlpack(r)
        calls["torch"] = lambda: torch.softmax(tr, 1)
    compete("softmax 4096x1024", "G/s", 4096 * 1024e-9, calls)

    ball = st.PoincareBall(-1.0)
    x = ball.expmap0(st.Tensor.randn(100000, 10, seed=1) * 0.2)
    y = ball.expmap0(st.Tensor.randn(100000, 10, seed=2) * 0.2)
    v = st.Tensor.randn(100000, 10, seed=3) * 0.1
    calls = {"spiraltorch": lambda: ball.dist(x, y)}
    maps = {"spiraltorch": lambda: ball.expmap(x, v)}
    if geoopt:
        tx, ty, tv = (torch.from_dlpack(t) for t in (x, y, v))
        peer = geoopt.PoincareBall(c=1.0)
        calls["geoopt"] = lambda: peer.dist(tx, ty)
        maps["geoopt"] = lambda: peer.expmap(tx, tv)
    floor = {"spiraltorch": lambda: x * y}
    compete("dist 100000x10", "M pairs/s", 0.1, calls)
    compete("expmap 100000x10", "M rows/s", 0.1, maps)
    compete("floor: x*y 100000x10", "GB/s", 0.012, floor)

    encoder = st.LanguageWaveEncoder(-1.0, 0.5)
    for n in (10_000, 100_000, 1_000_000):
        text = "".join(chr(97 + i * i % 26) for i in range(n))
        calls = {"spiraltorch": lambda text=text: encoder.encode_z_space(text)}
        compete(f"encode_z_space {n}", "MB/s", n * 1e-6, calls)

    densities = [st.Tensor.rand(1, 1024, seed=u) for u in range(16)]
    compete(
        "barycenter 16x1024", "1/s", 1, {"spiraltorch": lambda: st.z_space_barycenter(densities)}
    )


def bench_import():
    """Seconds and resident memory of a fresh interpreter that imports the package."""
    code = (
        "import time, resource; t = time.perf_counter(); import {0}; "
        "print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    for name in ("spiraltorch", "numpy", "torch", "geoopt"):
        if importlib.util.find_spec(name) is None:
            continue
        runs = []
        for _ in range(7):
            done = subprocess.run(
                [sys.executable, "-c", code.format(name)],
                capture_output=True,
                text=True,
                check=True,
            )
            runs.append([float(x) for x in done.stdout.split()])
        seconds, mib = (statistics.median(r[i] for r in runs) for i in (0, 1))
        print(f"import {name:19} {1e3 * seconds:10.1f} ms {mib:10.1f} MiB resident")


def main():
    args = parse()
    if args.inside:
        bench(args.threads[0])
        return
    bench_import()
    for threads in args.threads:
        # Peers read their number of threads when they start.
        env = os.environ | {
            name: str(threads)
            for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        }
        command = [sys.executable, __file__, "--inside", "--threads", str(threads)]
        subprocess.run(command, env=env, check=True)


if __name__ == "__main__":
    main()
