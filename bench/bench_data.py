"""Times an epoch of a shuffled loader beside its peers: python bench/bench_data.py

100,000 samples of 16 numbers with one target, batches of 64. NumPy indexes the arrays by a random
permutation; torch.utils.data loads the same tensors, where it can be imported. Medians of epochs
that take turns; "x" is the peer's time divided by ours.
"""

import importlib
import statistics
import time

ROWS, COLS, BATCH, EPOCHS = 100_000, 16, 64, 9


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def numpy_epochs(np):
    x = np.random.default_rng(1).random((ROWS, COLS), "f4")
    y = np.zeros((ROWS, 1), "f4")

    def epoch():
        order = np.random.default_rng(2).permutation(ROWS)
        for i in range(0, ROWS, BATCH):
            part = order[i : i + BATCH]
            yield x[part], y[part]

    return epoch


def torch_epochs(torch):
    data = importlib.import_module("torch.utils.data")
    pairs = data.TensorDataset(torch.rand(ROWS, COLS), torch.zeros(ROWS, 1))
    return lambda: data.DataLoader(pairs, BATCH, shuffle=True)


def main():
    import spiraltorch as st

    x, y = st.Tensor.rand(ROWS, COLS, seed=1), st.Tensor(ROWS, 1)
    loader = st.dataset.from_tensors(x, y).shuffle(1).batched(BATCH)
    ahead = loader.prefetch(2)
    mapped = loader.map(lambda a, b: (a, b))
    runs = {
        "spiraltorch": lambda: loader,
        "spiraltorch prefetch(2)": lambda: ahead,
        "spiraltorch map in Python": lambda: mapped,
    }
    np, torch = optional("numpy"), optional("torch")
    if np:
        runs["numpy"] = numpy_epochs(np)
    if torch:
        runs["torch"] = torch_epochs(torch)
    times = {name: [] for name in runs}
    for _ in range(EPOCHS):
        for name, epoch in runs.items():
            start = time.perf_counter()
            for _batch in epoch():
                pass
            times[name].append(time.perf_counter() - start)
    ours = statistics.median(times["spiraltorch"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:28} {1e3 * median:9.2f} ms an epoch  ({median / ours:.2f}x)")


if __name__ == "__main__":
    main()
