"""Times the layers of the ball, forward and backward: python bench/bench_layers.py [threads]

Batch 256. Beside them the same formulas of geoopt (mobius_matvec and mobius_add; dist2plane, Ganea
et al.'s logits), where it can be imported, in float32. Gradients by input and parameters; medians
of runs that take turns; "x" is the peer's time divided by ours.
"""

import importlib
import statistics
import sys
import time
import warnings

BATCH, DIM, CLASSES, RUNS = 256, 64, 10, 200


def optional(name):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        print(f"{name}: not importable")
        return None


def our_runs(threads):
    import spiraltorch as st
    from spiraltorch import nn

    st.set_num_threads(threads)
    x = st.Tensor.randn(BATCH, DIM, seed=1).scale(0.05)
    x.requires_grad_()

    def run_of(layer, out):
        g = st.Tensor.randn(BATCH, out, seed=2)

        def run():
            layer(x).backward(g)
            layer.zero_grad()
            x.zero_grad()

        return run

    return {
        f"PoincareMLR({DIM}, {CLASSES})": run_of(nn.PoincareMLR(DIM, CLASSES), CLASSES),
        f"PoincareLinear({DIM}, {DIM})": run_of(nn.PoincareLinear(DIM, DIM), DIM),
    }


def peer_runs(torch, geoopt, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    ball = geoopt.PoincareBall(c=1.0)

    def leaf(*shape):
        return (torch.randn(*shape) * 0.05).requires_grad_()

    x, w, b, p, a = (
        leaf(BATCH, DIM),
        leaf(DIM, DIM),
        leaf(DIM),
        leaf(CLASSES, DIM),
        leaf(CLASSES, DIM),
    )
    g = {out: torch.randn(BATCH, out) for out in (DIM, CLASSES)}

    def run_of(forward, leaves):
        def run():
            y = forward()
            y.backward(g[y.shape[1]])
            for t in leaves:
                t.grad = None

        return run

    def logits():
        return ball.dist2plane(x[:, None], p, a, signed=True, scaled=True)

    def linear():
        return ball.mobius_add(ball.mobius_matvec(w, x), b)

    return {
        f"PoincareMLR({DIM}, {CLASSES})": run_of(logits, (x, p, a)),
        f"PoincareLinear({DIM}, {DIM})": run_of(linear, (x, w, b)),
    }


def medians(runs):
    times = {name: [] for name in runs}
    for run in runs.values():
        for _ in range(10):
            run()
    for _ in range(RUNS):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    torch = optional("torch")
    geoopt = optional("geoopt") if torch else None
    peers = peer_runs(torch, geoopt, threads) if geoopt else {}
    for name, run in our_runs(threads).items():
        runs = {"spiraltorch": run}
        if peers:
            runs["geoopt"] = peers[name]
        found = medians(runs)
        for who, seconds in found.items():
            ratio = seconds / found["spiraltorch"]
            print(f"{name:24} {who:12} {1e6 * seconds:9.1f} us  ({ratio:.1f}x)")


if __name__ == "__main__":
    main()
