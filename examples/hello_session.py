"""Aligns a barycenter with a hypergrad tape: the tape leads the weights to the barycenter.

Prints the barycenter's objective, and how far the weights are from it before and after.
"""

import spiraltorch as st

session = st.SpiralSession(device="auto", curvature=-1.0, hyper_learning_rate=0.05, seed=0)

bary = session.barycenter([st.Tensor(1, 2, [0.7, 0.3]), st.Tensor(1, 2, [0.2, 0.8])])
weights = bary.intermediates()[0].density.clone()
tape = session.hypergrad(*weights.shape())


def gap():
    return weights.sub(bary.density).squared_l2_norm() ** 0.5


start = gap()
for _ in range(100):
    session.align_hypergrad(tape, bary)  # the differential that leads along the solver's path
    tape.apply(weights)
print(f"barycenter objective {bary.objective:.6f}, gap {start:.4f} -> {gap():.4f}")
