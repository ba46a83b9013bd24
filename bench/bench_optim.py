"""Times RiemannianAdam on a table of 82,115 x 10 points: python bench/bench_optim.py [threads]

Steps with a gradient in every row, and with gradients in 50 rows that a look-up delivered
(lazy=True). Beside them geoopt, where it can be imported: its RiemannianAdam, and for 50 rows its
SparseRiemannianAdam. The fastest of runs that take turns, on two threads unless said; "x" is the
peer's time divided by ours.
"""

import importlib
import sys
import time
import warnings

ROWS, COLS, TOUCHED, RUNS = 82_115, 10, 50, 30
THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2


def optional(name):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        print(f"{name}: not importable")
        return None


def our_runs():
    import spiraltorch as st
    from spiraltorch import nn, optim

    st.set_num_threads(THREADS)
    ball = st.PoincareBall()
    points = st.Tensor.randn(ROWS, COLS, seed=1).scale(0.05)
    gradient = st.Tensor.randn(ROWS, COLS, seed=2)
    dense = nn.Parameter(points, ball)
    dense.grad = gradient
    flat = nn.Parameter(points)
    flat.grad = gradient
    table = nn.PoincareEmbedding(ROWS, COLS)
    rows = [[i * 1601 % ROWS for i in range(TOUCHED)]]
    table(rows).sum().backward()
    scanned = nn.Parameter(points, ball)
    scanned.grad = table.parameters()[0].grad
    table.zero_grad()
    table(rows).sum().backward()
    return {
        "dense": optim.RiemannianAdam([dense], lr=1e-3).step,
        "dense, flat (Adam)": optim.Adam([flat], lr=1e-3).step,
        "50 rows": optim.RiemannianAdam(table.parameters(), lr=1e-3, lazy=True).step,
        "50 rows of a dense gradient": optim.RiemannianAdam([scanned], lr=1e-3, lazy=True).step,
    }


def peer_runs(torch, geoopt):
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    ball = geoopt.PoincareBall(c=1.0)
    points = torch.randn(ROWS, COLS) * 0.05
    dense = geoopt.ManifoldParameter(points.clone(), manifold=ball)
    dense.grad = torch.randn(ROWS, COLS)
    flat = torch.nn.Parameter(points.clone())
    flat.grad = torch.randn(ROWS, COLS)
    few = geoopt.ManifoldParameter(points.clone(), manifold=ball)
    index = (torch.arange(TOUCHED) * 1601 % ROWS).sort().values
    few.grad = torch.sparse_coo_tensor(index[None], torch.ones(TOUCHED, COLS), (ROWS, COLS))
    part = geoopt.ManifoldParameter(points.clone(), manifold=ball)
    part.grad = few.grad.to_dense()
    return {
        "dense": {"geoopt RiemannianAdam": geoopt.optim.RiemannianAdam([dense], lr=1e-3).step},
        "dense, flat (Adam)": {"torch Adam": torch.optim.Adam([flat], lr=1e-3).step},
        "50 rows": {
            "geoopt RiemannianAdam": geoopt.optim.RiemannianAdam([part], lr=1e-3).step,
            "geoopt SparseRiemannianAdam": geoopt.optim.SparseRiemannianAdam([few], lr=1e-3).step,
        },
    }


def fastest(runs):
    times = {name: [] for name in runs}
    for run in runs.values():
        for _ in range(3):
            run()
    for _ in range(RUNS):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: min(seconds) for name, seconds in times.items()}


def main():
    ours = our_runs()
    torch = optional("torch")
    geoopt = optional("geoopt") if torch else None
    peers = peer_runs(torch, geoopt) if geoopt else {}
    for name, run in ours.items():
        found = fastest({"spiraltorch": run, **peers.get(name, {})})
        for who, seconds in found.items():
            ratio = seconds / found["spiraltorch"]
            print(f"{name:28} {who:28} {1e3 * seconds:9.4f} ms a step  ({ratio:.1f}x)")


if __name__ == "__main__":
    main()
