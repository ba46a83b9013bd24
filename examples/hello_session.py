"""Aligns a barycenter with a hypergrad tape, then trains one roundtable epoch."""

import spiraltorch as st
from spiraltorch.nn import Linear, MeanSquaredError, Sequential

session = st.SpiralSession(device="auto", curvature=-1.0, hyper_learning_rate=0.05, seed=0)

bary = session.barycenter([st.Tensor(1, 2, [0.7, 0.3]), st.Tensor(1, 2, [0.2, 0.8])])
weights = bary.intermediates()[0].density.clone()
tape = session.hypergrad(*weights.shape())


def gap():
    return weights.sub(bary.density).squared_l2_norm() ** 0.5


start = gap()
for _ in range(100):
    session.align_hypergrad(tape, bary)
    tape.apply(weights)
print(f"barycenter objective {bary.objective:.6f}, gap {start:.4f} -> {gap():.4f}")

model = session.prepare_module(Sequential([Linear(2, 2, name="layer")]))
loss, trainer = MeanSquaredError(), session.trainer()
points = [st.Tensor(1, 2, [0.0, 1.0]), st.Tensor(1, 2, [1.0, 0.0])]
loader = st.dataset.from_vec([(p, p) for p in points]).shuffle(0xC0FFEE).batched(2).prefetch(2)
schedule = session.roundtable(rows=1, cols=2)

before = trainer.evaluate(model, loss, loader).average_loss
stats = session.train_epoch(trainer, model, loss, loader, schedule)
after = trainer.evaluate(model, loss, loader).average_loss
print(f"roundtable loss {before:.6f} -> {after:.6f} over {stats.batches} batches")
