"""Times training epochs beside peers: python bench/bench_train.py [threads]

Two networks (Linear, Relu, Linear, mean squared error, plain SGD) on random samples in memory,
shuffled each epoch. Peers, each where it can be imported: PyTorch eager, a loop of NumPy by hand,
and JAX with a whole epoch in one compiled scan. Epochs take turns; medians; "x" is our rate divided
by the peer's. Threads are set before anything is imported.
"""

import importlib
import os
import statistics
import sys
import time

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(THREADS)
os.environ["SPIRALTORCH_NUM_THREADS"] = str(THREADS)
os.environ["XLA_FLAGS"] = (
    f"--xla_cpu_multi_thread_eigen={'true' if THREADS > 1 else 'false'} "
    f"intra_op_parallelism_threads={THREADS}"
)

NETWORKS = {  # inputs, hidden, outputs, batch, samples
    "64-64-10, batch 64": (64, 64, 10, 64, 10_000),
    "784-512-10, batch 256": (784, 512, 10, 256, 10_240),
}
SECONDS, RATE = 6.0, 0.01


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name}: not importable")
        return None


def our_epoch(st, work):
    n_in, hidden, n_out, batch, samples = work
    x, y = st.Tensor.randn(samples, n_in, seed=1), st.Tensor.randn(samples, n_out, seed=2)
    layers = [
        st.nn.Linear(n_in, hidden, "first"),
        st.nn.Relu(),
        st.nn.Linear(hidden, n_out, "second"),
    ]
    net, loss = st.nn.Sequential(layers), st.nn.MeanSquaredError()
    loader = st.dataset.from_tensors(x, y).shuffle(1).batched(batch)
    trainer = st.ModuleTrainer(device="cpu", optimizer=st.optim.SGD(net.parameters(), lr=RATE))
    return lambda: trainer.train_epoch(net, loss, loader)


def torch_epoch(torch, work):
    n_in, hidden, n_out, batch, samples = work
    torch.set_num_threads(THREADS)
    x, y = torch.randn(samples, n_in), torch.randn(samples, n_out)
    nn = torch.nn
    net = nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))
    loss, optimizer = nn.MSELoss(), torch.optim.SGD(net.parameters(), lr=RATE)

    def epoch():
        order = torch.randperm(samples)
        for i in range(0, samples, batch):
            part = order[i : i + batch]
            optimizer.zero_grad()
            value = loss(net(x[part]), y[part])
            value.backward()
            optimizer.step()
            value.item()

    return epoch


def numpy_epoch(np, work):
    n_in, hidden, n_out, batch, samples = work
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((samples, n_in), "f4"), rng.standard_normal((samples, n_out), "f4")
    w1 = (rng.standard_normal((n_in, hidden)) / n_in**0.5).astype("f4")
    w2 = (rng.standard_normal((hidden, n_out)) / hidden**0.5).astype("f4")
    b1, b2 = np.zeros(hidden, "f4"), np.zeros(n_out, "f4")
    rate = np.float32(RATE)

    def epoch():
        nonlocal w1, w2, b1, b2
        order = rng.permutation(samples)
        for i in range(0, samples, batch):
            part = order[i : i + batch]
            a, t = x[part], y[part]
            h = np.maximum(a @ w1 + b1, 0)
            d = h @ w2 + b2 - t
            g = d * np.float32(2 / d.size)
            gh = (g @ w2.T) * (h > 0)
            w2 -= rate * (h.T @ g)
            b2 -= rate * g.sum(0)
            w1 -= rate * (a.T @ gh)
            b1 -= rate * gh.sum(0)
            float((d * d).mean())

    return epoch


def jax_epoch(jax, work):
    n_in, hidden, n_out, batch, samples = work
    jnp = importlib.import_module("jax.numpy")
    keys = jax.random.split(jax.random.key(1), 5)
    x, y = jax.random.normal(keys[0], (samples, n_in)), jax.random.normal(keys[1], (samples, n_out))
    parameters = {
        "w1": jax.random.normal(keys[2], (n_in, hidden)) / n_in**0.5,
        "b1": jnp.zeros(hidden),
        "w2": jax.random.normal(keys[3], (hidden, n_out)) / hidden**0.5,
        "b2": jnp.zeros(n_out),
    }
    steps = samples // batch  # a scan needs equal batches: the last, shorter one is left out

    def loss(p, a, t):
        h = jnp.maximum(a @ p["w1"] + p["b1"], 0)
        return jnp.mean((h @ p["w2"] + p["b2"] - t) ** 2)

    def step(p, part):
        value, g = jax.value_and_grad(loss)(p, x[part], y[part])
        return jax.tree.map(lambda w, d: w - RATE * d, p, g), value

    @jax.jit
    def scan(p, key):
        order = jax.random.permutation(key, samples)[: steps * batch].reshape(steps, batch)
        return jax.lax.scan(step, p, order)

    state = {"p": parameters, "key": keys[4]}

    def epoch():
        state["key"], now = jax.random.split(state["key"])
        state["p"], values = scan(state["p"], now)
        values.block_until_ready()

    return epoch


def measure(runs, samples):
    """Median seconds of an epoch; the runs take turns."""
    times = {name: [] for name in runs}
    for epoch in runs.values():
        epoch()
    end = time.perf_counter() + SECONDS * len(runs)
    while time.perf_counter() < end or min(map(len, times.values())) < 5:
        for name, epoch in runs.items():
            start = time.perf_counter()
            epoch()
            times[name].append(time.perf_counter() - start)
    return {name: samples / statistics.median(seconds) for name, seconds in times.items()}


def main():
    import spiraltorch as st

    peers = {
        "PyTorch eager": (optional("torch"), torch_epoch),
        "NumPy loop": (optional("numpy"), numpy_epoch),
        "JAX, one scan": (optional("jax"), jax_epoch),
    }
    for name, work in NETWORKS.items():
        runs = {"spiraltorch": our_epoch(st, work)}
        runs |= {peer: make(module, work) for peer, (module, make) in peers.items() if module}
        rates = measure(runs, work[4])
        print(f"{name}, {THREADS} threads")
        for run, rate in rates.items():
            print(f"  {run:16} {rate / 1e6:9.3f} M samples/s  {rates['spiraltorch'] / rate:6.2f}x")


if __name__ == "__main__":
    main()
