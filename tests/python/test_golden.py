"""Every golden case of the functions built, through the Python API."""

import math

import pytest
from conftest import load_cases

import spiraltorch as st
from spiraltorch import (
    Hypergrad,
    LanguageWaveEncoder,
    Lorentz,
    OpenTopos,
    PoincareBall,
    Tensor,
    TensorBiome,
)


def number(value):
    return float(value) if isinstance(value, str) else value


DEVICE = ["cpu"]  # where the inputs go


def rows(value):
    return Tensor.from_rows([[number(x) for x in row] for row in value], device=DEVICE[0])


def const(r, c, values=0.0):
    values = [values] * (r * c) if isinstance(values, float) else values
    return Tensor(r, c, values, device=DEVICE[0])


def flat(value):
    if isinstance(value, (list, tuple)):
        return [x for item in value for x in flat(item)]
    return [number(value)]


def ball(i):
    return PoincareBall(number(i["curvature"]))


def hyperboloid(i):
    return Lorentz(number(i["curvature"]))


def tape(i):
    topos = None
    if "saturation" in i:
        topos = OpenTopos(i["curvature"], 1e-6, i["saturation"], 4096, 1048576)
    return Hypergrad(number(i["curvature"]), i["learning_rate"], i["rows"], i["cols"], topos)


def topos(i):
    return OpenTopos(-1.0, 1e-6, i["saturation"], 64, i["max_volume"])


def encoder(i):
    return LanguageWaveEncoder(i.get("encoder_curvature", i["curvature"]), i["temperature"])


def after(tape, **calls):
    for name, arguments in calls.items():
        getattr(tape, name)(*arguments)
    return tape.gradient()


def waves(i):
    t = tape(i)
    for wave in i["tensors"]:
        t.accumulate_wave(rows(wave))
    return t.gradient()


def complex_wave(i):
    pairs = list(zip(flat(i["re"]), flat(i["im"]), strict=True))
    wave = st.ComplexTensor(len(i["re"]), len(i["re"][0]), pairs).to(DEVICE[0])
    return after(tape(i), accumulate_complex_wave=(wave,))


def apply(i):
    t, w = tape(i), rows(i["weights"])
    t.accumulate_wave(rows(i["gradient"]))
    t.apply(w)
    return {"weights": w.tolist(), "gradient_after": t.gradient()}


def solve(i):
    coupling = i.get("coupling")
    return st.z_space_barycenter(
        [rows(d) for d in i["densities"]],
        i.get("weights"),
        i.get("entropy_weight", 0.0),
        i.get("beta_j", 0.0),
        rows(coupling) if coupling is not None else None,
    )


def barycenter(i):
    b = solve(i)
    b["density"] = b["density"].tolist()
    b["intermediates"] = [
        {
            "interpolation": s.interpolation,
            "density": s.density.tolist(),
            "kl_energy": s.kl_energy,
            "entropy": s.entropy,
            "objective": s.objective,
        }
        for s in b["intermediates"]
    ]
    return b


def path(i):
    return after(tape(i), accumulate_barycenter_path=(solve(i)["intermediates"],))


def saturate(i):
    x = rows(i["value"])
    topos(i).saturate_tensor(x)
    return x.tolist()


def biome(i):
    b = TensorBiome(OpenTopos(i["curvature"], 1e-6, i["saturation"]))
    for shoot, weight in zip(i["shoots"], i["weights"], strict=True):
        b.absorb_weighted("shoot", rows(shoot), number(weight))
    return b


def trace(seed, curvature=-1.0, **options):
    return st.SpiralSession(device="cpu", curvature=curvature, **options).trace(seed)


def halves():
    return [const(1, 2, [0.6, 0.4]), const(1, 2, [0.5, 0.5])]


def homotopy(i):
    seed = rows(i["seed"])
    t = trace(seed, i["curvature"])
    for d in i["deforms"]:
        t.deform(rows(d["generator"]), rows(d["direction"]))
    t.via(Tensor.eye(seed.cols, device=DEVICE[0])).with_barycenter_from([1, 1], halves())
    return t.resonate().homotopy_flow().tolist()


def commutator(i):
    seed = rows(i["seed"])
    t = trace(seed, i["curvature"])
    for which in ("first", "second"):
        t.deform(rows(i[which]["generator"]), rows(i[which]["direction"]))
    t.via(Tensor.eye(seed.cols, device=DEVICE[0])).with_barycenter_from([1, 1], halves())
    return t.resonate().commutator().tolist()


def linearisation(i):
    direction = rows(i["direction"])
    t = trace(const(*direction.shape())).deform(direction, direction).via(rows(i["kernel"]))
    return t.with_barycenter_from([1, 1], halves()).resonate().functor_linearisation().tolist()


def tower(i):
    levels = [rows(level) for level in i["levels"]]
    zero = const(*levels[0].shape())
    t = trace(zero).deform(zero, zero).via(Tensor.eye(zero.cols, device=DEVICE[0]))
    t.with_barycenter_from([1, 1], halves()).with_infinity(levels, i["curvatures"])
    return t.resonate()


def recursive(i):
    seed = const(1, 2)
    t = (
        trace(seed, entropy_weight=i["entropy_weight"])
        .deform(seed, seed)
        .via(Tensor.eye(2, device=DEVICE[0]))
    )
    t.with_barycenter_from(i["weights"], [rows(d) for d in i["densities"]])
    return t.resonate().recursive_objective().tolist()


def wave(i):
    w = encoder(i).encode_wave(i["text"])
    return {"re": w.real().data(), "im": w.imag().data()}


def squeeze(tensor):
    return [row[0] for row in tensor.tolist()]


FUNCTIONS = {
    "Hypergrad.absorb_text": lambda i: after(tape(i), absorb_text=(encoder(i), i["text"])),
    "Hypergrad.accumulate_barycenter_path": path,
    "Hypergrad.accumulate_complex_wave": complex_wave,
    "Hypergrad.accumulate_pair": lambda i: after(
        tape(i), accumulate_pair=(rows(i["prediction"]), rows(i["target"]))
    ),
    "Hypergrad.accumulate_wave": waves,
    "Hypergrad.apply": apply,
    "LanguageWaveEncoder.encode_wave": wave,
    "LanguageWaveEncoder.encode_z_space": lambda i: (
        encoder(i).encode_z_space(i["text"], i.get("dim")).tolist()
    ),
    "Lorentz.dist": lambda i: squeeze(hyperboloid(i).dist(rows(i["x"]), rows(i["y"]))),
    "Lorentz.egrad2rgrad": lambda i: (
        hyperboloid(i).egrad2rgrad(rows(i["x"]), rows(i["g"])).tolist()
    ),
    "Lorentz.expmap": lambda i: hyperboloid(i).expmap(rows(i["x"]), rows(i["v"])).tolist(),
    "Lorentz.expmap0": lambda i: hyperboloid(i).expmap0(rows(i["v"])).tolist(),
    "Lorentz.from_poincare": lambda i: hyperboloid(i).from_poincare(rows(i["y"])).tolist(),
    "Lorentz.logmap": lambda i: hyperboloid(i).logmap(rows(i["x"]), rows(i["y"])).tolist(),
    "Lorentz.logmap0": lambda i: hyperboloid(i).logmap0(rows(i["y"])).tolist(),
    "Lorentz.parallel_transport": lambda i: (
        hyperboloid(i).parallel_transport(rows(i["x"]), rows(i["y"]), rows(i["v"])).tolist()
    ),
    "Lorentz.project": lambda i: hyperboloid(i).project(rows(i["x"])).tolist(),
    "Lorentz.to_poincare": lambda i: hyperboloid(i).to_poincare(rows(i["x"])).tolist(),
    "OpenTopos.guard_tensor": lambda i: topos(i).guard_tensor("x", rows(i["value"])),
    "OpenTopos.saturate_scalar": lambda i: topos(i).saturate_scalar(number(i["value"])),
    "OpenTopos.saturate_tensor": saturate,
    "PoincareBall.conformal_factor": lambda i: squeeze(ball(i).conformal_factor(rows(i["x"]))),
    "PoincareBall.dist": lambda i: squeeze(ball(i).dist(rows(i["x"]), rows(i["y"]))),
    "PoincareBall.dist_matrix": lambda i: (
        ball(i).dist_matrix(rows(i["x"]), rows(i["y"]) if "y" in i else None).tolist()
    ),
    "PoincareBall.egrad2rgrad": lambda i: ball(i).egrad2rgrad(rows(i["x"]), rows(i["g"])).tolist(),
    "PoincareBall.expmap": lambda i: ball(i).expmap(rows(i["x"]), rows(i["v"])).tolist(),
    "PoincareBall.expmap0": lambda i: ball(i).expmap0(rows(i["v"])).tolist(),
    "PoincareBall.frechet_mean": lambda i: ball(i).frechet_mean(rows(i["x"]), i.get("w")).tolist(),
    "PoincareBall.geodesic": lambda i: (
        ball(i).geodesic(rows(i["x"]), rows(i["y"]), i["t"]).tolist()
    ),
    "PoincareBall.gyration": lambda i: (
        ball(i).gyration(rows(i["u"]), rows(i["v"]), rows(i["w"])).tolist()
    ),
    "PoincareBall.gyromidpoint": lambda i: ball(i).gyromidpoint(rows(i["x"]), i.get("w")).tolist(),
    "PoincareBall.logmap": lambda i: ball(i).logmap(rows(i["x"]), rows(i["y"])).tolist(),
    "PoincareBall.logmap0": lambda i: ball(i).logmap0(rows(i["y"])).tolist(),
    "PoincareBall.mobius_add": lambda i: ball(i).mobius_add(rows(i["x"]), rows(i["y"])).tolist(),
    "PoincareBall.mobius_matvec": lambda i: (
        ball(i).mobius_matvec(rows(i["m"]), rows(i["x"])).tolist()
    ),
    "PoincareBall.mobius_scalar": lambda i: ball(i).mobius_scalar(i["r"], rows(i["x"])).tolist(),
    "PoincareBall.parallel_transport": lambda i: (
        ball(i).parallel_transport(rows(i["x"]), rows(i["y"]), rows(i["v"])).tolist()
    ),
    "PoincareBall.project": lambda i: ball(i).project(rows(i["x"])).tolist(),
    "TensorBiome.canopy": lambda i: biome(i).canopy(i["mode"]).tolist(),
    "TensorBiome.stack": lambda i: biome(i).stack().tolist(),
    "Trace.commutator": commutator,
    "Trace.functor_linearisation": linearisation,
    "Trace.homotopy_flow": homotopy,
    "Trace.infinity_energy": lambda i: tower(i).infinity_energy().tolist(),
    "Trace.infinity_projection": lambda i: tower(i).infinity_projection().tolist(),
    "Trace.recursive_objective": recursive,
    "barycenter": barycenter,
    "hyperbolic_distance": lambda i: rows(i["a"]).hyperbolic_distance(
        rows(i["b"]), number(i["curvature"])
    ),
    "project_to_poincare": lambda i: (
        rows(i["x"]).project_to_poincare(number(i["curvature"])).tolist()
    ),
}


def compare(got, expected, case):
    if isinstance(expected, dict):
        for key, value in expected.items():
            compare(got[key], value, case)
        return
    if expected is None:
        assert got is None
        return
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        for a, b in zip(got, expected, strict=True):
            compare(a, b, case)
        return
    got, expected = flat(got), flat(expected)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert math.isclose(a, b, rel_tol=case["rtol"], abs_tol=0) or (
            abs(a - b) <= case["atol"] + case["rtol"] * abs(b)
        ), (a, b)


CASES = [c for c in load_cases() if c["fn"] in FUNCTIONS]


@pytest.mark.parametrize("case", CASES, ids=[f"{c['fn']}-{k}" for k, c in enumerate(CASES)])
def test_golden(case):
    check(case)


@pytest.mark.parametrize("name", sorted({c["fn"] for c in CASES}))
def test_golden_on_webgpu(name, wgpu, monkeypatch):
    monkeypatch.setattr("test_golden.DEVICE", [wgpu])
    for case in CASES:
        if case["fn"] == name:
            check(case)


def check(case):
    run = FUNCTIONS[case["fn"]]
    expected = case["expected"]
    if isinstance(expected, dict) and "raises" in expected:
        with pytest.raises(ValueError) as caught:
            run(case["inputs"])
        assert isinstance(caught.value, st.Error)
        return
    compare(run(case["inputs"]), expected, case)


def test_every_function_of_the_file_is_covered():
    """What is left are the README's programs."""
    left = {c["fn"] for c in load_cases()} - set(FUNCTIONS)
    assert all(name.startswith("README.") for name in left)
