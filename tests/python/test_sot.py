"""Spiral plans and the projector from Python."""

import json
import math

import numpy as np
import pytest

import spiraltorch as st
from spiraltorch import sot
from spiraltorch.nn import LanguageWaveEncoder, ZSpaceProjector


@pytest.fixture(scope="module")
def golden(root):
    with open(root / "tests" / "golden" / "learning.json", encoding="utf-8") as file:
        return json.load(file)


def test_packing_and_constants(golden):
    for case in golden["packing"]:
        assert sot.pack_tribonacci_chunks(case["length"]) == case["tribonacci"]
        assert sot.pack_tetranacci_chunks(case["length"]) == case["tetranacci"]
    assert sot.golden_angle() == pytest.approx(math.pi * (3 - math.sqrt(5)), abs=1e-15)
    assert sot.golden_ratio() == pytest.approx((1 + math.sqrt(5)) / 2, abs=1e-15)
    assert sot.fibonacci_pacing(10) == [1, 1, 2, 3, 3]


def flat(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}/{key}")
    else:
        yield path, value


def test_golden_plans(golden):
    for case in golden["plans"]:
        plan = sot.generate_plan(case["total_steps"], **case["options"])
        assert len(plan) == plan.total_steps == case["total_steps"] and plan
        dicts = plan.as_dicts()
        for want in case["steps"]:
            got = dict(flat(dicts[want["index"]]))
            for path, value in flat(want):
                if isinstance(value, float):
                    assert got[path] == pytest.approx(value, rel=1e-11, abs=1e-11)
                else:
                    assert got[path] == value
        assert len(plan.reflection_points()) == case["reflection_points"]
        for got, want in zip(plan.macro_summaries(), case["macros"], strict=True):
            assert got.as_dict() == pytest.approx(want)
        if len(plan):
            sums = np.asarray(plan.feature_tensor(), dtype=np.float64).sum(axis=0)
            assert sums == pytest.approx(case["feature_sum"], rel=1e-5, abs=1e-4)


def test_a_plan_tells_its_steps():
    plan = sot.generate_plan(20, radial_growth=0.08, spacing="vogel")
    steps = plan.steps()
    assert repr(plan) == "SoT3DPlan(steps=20, base_radius=1.000, growth=0.080)"
    assert plan.spacing == "vogel" and plan.radial_growth == 0.08
    assert steps[3].position() == plan.polyline()[3]
    assert steps[3].as_dict()["micro"]["role"] == steps[3].micro_role
    assert steps[3].macro_index == steps[3].as_dict()["macro"]["index"]
    assert plan.as_tensor().shape() == plan.reflection_tensor().shape() == (20, 3)
    assert plan.role_tensor().shape() == (20, 2)
    assert plan.macro_summary_tensor().shape() == (len(plan.macro_summaries()), 6)
    biome = plan.grow_biome(st.OpenTopos(-1.0), "mine", include_reflections=False)
    assert biome.labels() == ["mine_positions", "mine_cylinder", "mine_phase", "mine_gain"]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((-1,), {}),
        ((2**31,), {}),
        ((4,), {"base_radius": 0.0}),
        ((4,), {"meso_gain": -1.0}),
        ((4,), {"base_height": math.inf}),
        ((4000,), {}),
        ((4,), {"spacing": "linear"}),
    ],
)
def test_bad_options_are_refused(arguments, options):
    with pytest.raises(st.InvalidArgument):
        sot.generate_plan(*arguments, **options)
    with pytest.raises(TypeError):
        sot.generate_plan(1.5)


def test_a_session_attaches_the_plan():
    session = st.SpiralSession(device="cpu")
    trace = session.trace(st.Tensor(2, 3), sot={"radial_growth": 0.1, "spacing": "vogel"})
    assert trace.sot_plan.total_steps == 6 and trace.sot_plan.spacing == "vogel"
    with pytest.raises(st.InvalidArgument, match="growth"):
        session.trace(st.Tensor(2, 3), sot={"growth": 0.1})


def test_projector_errors():
    with pytest.raises(st.InvalidArgument, match="curvature"):
        ZSpaceProjector(st.OpenTopos(-1.0), LanguageWaveEncoder(-2.0, 0.5))
    projector = ZSpaceProjector(st.OpenTopos(-1.0), LanguageWaveEncoder(-1.0, 0.5))
    assert projector.curvature() == -1.0 and projector.topos().curvature() == -1.0
    with pytest.raises(st.InvalidArgument, match="empty"):
        projector.reimport_biome(st.TensorBiome(st.OpenTopos(-1.0)))
    with pytest.raises(st.InvalidArgument):
        projector.project_spiral(sot.generate_plan(0))
    assert projector(st.Tensor(1, 2, [0.1, 0.2])).shape() == (1, 2)
    assert projector.encode_text("spiral", 4).shape() == (1, 4)
