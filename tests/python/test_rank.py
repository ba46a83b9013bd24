"""Rank selection from Python: golden vectors, plans, errors, exchange, tuning."""

import collections.abc
import json
import os
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest

import spiraltorch as st

SELECT = {"topk": st.topk, "midk": st.midk, "bottomk": st.bottomk}
MASK = (1 << 64) - 1


@pytest.fixture(scope="module")
def golden(root):
    with open(root / "tests" / "golden" / "rank.json", encoding="utf-8") as file:
        return json.load(file)


def tensor_of(bits, rows, cols):
    values = np.array(bits, dtype=np.uint32).view(np.float32).reshape(rows, cols)
    return st.Tensor.from_array(values)


def bits_of(text):
    return [int(word, 16) for word in text.split()]


def value_bits(tensor):
    return np.asarray(tensor, dtype=np.float32).reshape(-1).view(np.uint32).tolist()


def test_golden_cases_given_by_their_bits(golden):
    count = 0
    for case in golden["cases"]:
        rows, cols = case["rows"], case["cols"]
        if "bits" not in case["input"] or rows * cols == 0:
            continue
        count += 1
        x = tensor_of(bits_of(case["input"]["bits"]), rows, cols)
        options = {"sorted": case["sorted"], "nan": case["nan"]}
        if "error" in case["expect"]:
            with pytest.raises(ValueError):
                SELECT[case["kind"]](x, case["k"], **options)
            continue
        values, indices = SELECT[case["kind"]](x, case["k"], **options)
        assert values.shape() == indices.shape() == (rows, case["k"])
        assert value_bits(values) == bits_of(case["expect"]["values"]), case["id"]
        assert indices.data() == case["expect"]["indices"], case["id"]
    assert count > 200


def test_golden_ranges_given_by_their_bits(golden):
    count = 0
    for case in golden["compact"]:
        if "bits" not in case["input"] or "values" not in case["expect"]:
            continue
        count += 1
        x = tensor_of(bits_of(case["input"]["bits"]), case["rows"], case["cols"])
        values, indices, counts = st.compact_range(x, float(case["low"]), float(case["high"]))
        assert value_bits(values) == bits_of(case["expect"]["values"])
        assert indices.data() == case["expect"]["indices"]
        assert counts.data() == case["expect"]["counts"]
    assert count >= 8


def test_golden_bands(golden):
    for case in golden["bands"]:
        bits = bits_of(case["bits"])
        bands, sums = st.band_split(
            tensor_of(bits, 1, len(bits)), case["above"], case["beneath"], case["tolerance"]
        )
        assert bands == case["expect"]
        assert len(sums) == 3


def test_philox_uniforms_are_the_golden_ones(golden):
    case = golden["philox"][0]
    want = bits_of(case["uniform"])
    assert value_bits(st.Tensor.rand(1, len(want), case["seed"])) == want


def oracle(kind, row, k):
    order = sorted(range(len(row)), key=lambda i: (-row[i] if kind == "topk" else row[i], i))
    first = (len(row) - k) // 2 if kind == "midk" else 0
    return order[first : first + k]


@pytest.mark.parametrize("kind", SELECT)
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 37, 9), (3, 1000, 1), (2, 5000, 200)])
def test_equals_a_stable_sort(kind, shape):
    rows, cols, k = shape
    x = np.round(np.random.default_rng(1).normal(size=(rows, cols)) * 8).astype(np.float32)
    values, indices = SELECT[kind](st.Tensor.from_array(x), k)
    for r in range(rows):
        assert indices.tolist()[r] == oracle(kind, x[r].tolist(), k)
    assert np.array_equal(np.take_along_axis(x, np.asarray(indices), 1), np.asarray(values))


def test_the_readme_example():
    x = st.Tensor(1, 6, [1, 3, 3, 2, 3, 1])
    assert st.topk(x, 2).indices.tolist() == [[1, 2]]
    assert st.bottomk(x, 2).indices.tolist() == [[0, 5]]
    values, indices = st.midk(x, 2)
    assert (values.tolist(), indices.tolist()) == ([[2.0, 3.0]], [[3, 1]])


def test_a_result_unpacks_and_tells_what_ran():
    x = st.Tensor.rand(3, 50, 1)
    result = st.topk(x, 4)
    values, indices = result
    assert len(result) == 2
    assert result[0].tolist() == values.tolist() == result.values.tolist()
    assert result[-1].tolist() == indices.tolist()
    assert result.trace == result.plan.lower()
    assert st.topk(x, 4, sorted=False, nan="raise").trace == result.plan.lower(False, "raise")
    assert "RankResult" in repr(result)


def test_a_plan_is_a_read_only_mapping():
    plan = st.plan_topk(rows=8, cols=65_536, k=1_024, device="auto")
    assert isinstance(plan, collections.abc.Mapping)
    assert list(plan) == ["kind", "rows", "cols", "k", "choice"] == plan.keys()
    assert dict(plan)["k"] == 1024 and dict(plan.items()) == dict(plan)
    assert plan["choice"]["workgroup"] == plan.workgroup > 0
    assert list(plan["choice"]) == [
        *["use_2ce", "workgroup", "kl", "channel_stride", "merge_kind", "merge_detail"],
        *["tile", "compaction_tile"],
    ]
    assert plan.get("nothing") is None and plan.get("rows") == 8 and "rows" in plan
    with pytest.raises(KeyError):
        plan["nothing"]
    with pytest.raises(TypeError):
        plan["choice"]["kl"] = 3
    with pytest.raises(AttributeError):
        plan.rows = 3
    with pytest.raises(TypeError):
        plan["rows"] = 3


def test_plans_compare_hash_and_travel():
    plan = st.plan("midk", 4, 1000, 3, "cpu")
    again = st.RankPlan.from_dict(plan.to_dict())
    assert again == plan and hash(again) == hash(plan) and len({again, plan}) == 1
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert plan != st.plan("midk", 4, 1000, 4, "cpu") and plan != 3
    assert json.loads(json.dumps(plan.to_dict())) == plan.to_dict()
    with pytest.raises(st.InvalidArgument, match="workspace_bytes"):
        st.RankPlan.from_dict({**plan.to_dict(), "workspace_bytes": 1})
    with pytest.raises(st.InvalidArgument, match="fields"):
        st.RankPlan.from_dict({"kind": "topk"})


def test_plans_execute_and_can_be_replaced():
    x = st.Tensor.rand(4, 3000, 3)
    plan = st.plan("Top_K", 4, 3000, 20, "cpu")
    assert plan.kind == "topk" and plan.provenance == "rule"
    for algorithm in ("reservoir", "quickselect", "radix"):
        other = plan.replace(algorithm=algorithm)
        assert other.provenance == "override" and other.algorithm == algorithm
        assert st.rank(other, x).indices.tolist() == st.rank(plan, x).indices.tolist()
        assert algorithm in other.explain()
        assert st.topk(x, 20, plan=other).plan == other
    with pytest.raises(st.InvalidArgument, match="argreduce"):
        plan.replace(algorithm="argreduce")
    with pytest.raises(TypeError):
        plan.replace(speed=3)


def test_simulated_plans_are_for_reading():
    for device in ("cuda", "hip", "wgpu", "mps"):
        if st.describe_device(device)["available"]:
            continue
        plan = st.plan("topk", 64, 65536, 128, device)
        assert plan.simulated and plan.requested_device == device
        assert plan.lower() and plan.algorithm in plan.explain()
        with pytest.raises(st.PlanDeviceMismatch, match="simulated"):
            st.rank(plan, st.Tensor.zeros(64, 65536))
    assert issubclass(st.PlanDeviceMismatch, st.DeviceError)
    assert st.DeviceError.call is None


def test_a_plan_for_other_capabilities_is_refused():
    threads = st.num_threads()
    plan = st.plan("topk", 2, 100, 3, "cpu")
    st.set_num_threads(threads + 1)
    try:
        with pytest.raises(st.PlanDeviceMismatch, match="capabilities"):
            st.rank(plan, st.Tensor.zeros(2, 100))
    finally:
        st.set_num_threads(threads)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: st.topk(x, 11), st.InvalidArgument, "k: got 11, expected 0 to 10"),
        (lambda x: st.midk(x, -1), st.InvalidArgument, "k: got -1"),
        (lambda x: st.topk(x, 2**70), st.InvalidArgument, "k: got 1180591620717411303424"),
        (lambda x: st.topk(x, 1.5), TypeError, "k: got float"),
        (lambda x: st.topk([[1.0]], 1), TypeError, "tensor: got list"),
        (lambda x: st.topk(st.topk(x, 1).indices, 1), st.DTypeError, "IndexTensor"),
        (lambda x: st.topk(x, 1, nan="first"), st.InvalidArgument, "nan: got 'first'"),
        (lambda x: st.topk(x, 1, device="gpu"), st.InvalidArgument, "device: got 'gpu'"),
        (lambda x: st.topk(x, 1, device=3), TypeError, "device: got int"),
        (lambda x: st.topk(x, 1, plan=3), TypeError, "plan: got int"),
        (lambda x: st.plan("largest", 1, 1, 1), st.InvalidArgument, "kind: got 'largest'"),
        (lambda x: st.plan(3, 1, 1, 1), TypeError, "kind: got int"),
        (lambda x: st.plan("topk", -1, 1, 1), st.InvalidArgument, "rows: got -1"),
        (lambda x: st.plan("topk", 1, 2**32, 1), st.InvalidArgument, "cols: got 4294967296"),
        (lambda x: st.plan("topk", 1, 1, 1, "tpu"), st.InvalidArgument, "device: got 'tpu'"),
        (lambda x: st.compact_range(x, float("nan"), 1), st.InvalidArgument, "bound: got NaN"),
        (lambda x: st.compact_range(x, "a", 1), TypeError, "compact_range"),
        (
            lambda x: st.topk(x, 2, plan=st.plan("topk", 2, 10, 3, "cpu")),
            st.InvalidArgument,
            "plan's k: got 3, expected 2",
        ),
        (
            lambda x: st.rank(st.plan("topk", 3, 10, 3, "cpu"), x),
            st.InvalidArgument,
            "plan's shape",
        ),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message):
    x = st.Tensor.zeros(2, 10)
    with pytest.raises(error) as caught:
        call(x)
    assert message in str(caught.value)


def test_nan_policies():
    x = st.Tensor(2, 4, [1.0, float("nan"), 3.0, 2.0, float("nan")] + [float("nan")] * 3)
    values, indices = st.topk(x, 2)
    assert indices.tolist() == [[2, 3], [-1, -1]]
    assert np.isnan(values.tolist()[1]).all()
    assert struct.pack("<f", values.tolist()[1][0])[-1] == 0x7F
    assert st.topk(x, 2, nan="largest").indices.tolist() == [[1, 2], [0, 1]]
    with pytest.raises(st.InvalidArgument, match=r"\(0, 1\)") as caught:
        st.topk(x, 2, nan="raise")
    assert caught.value.code == "non_finite"
    with pytest.raises(st.InvalidArgument, match=r"\(0, 1\)"):
        st.topk(x, 0, nan="raise")


def test_k_zero_gives_results_without_elements():
    values, indices = st.topk(st.Tensor.zeros(3, 4), 0)
    assert values.shape() == indices.shape() == (3, 0)
    assert values.tolist() == indices.tolist() == [[], [], []]
    assert np.asarray(values).shape == np.asarray(indices).shape == (3, 0)
    assert "Tensor" in repr(values)
    assert st.topk(st.Tensor.zeros(3, 4), 0).trace == ()


def test_index_tensors_are_exchanged():
    indices = st.topk(st.Tensor(2, 3, [3, 1, 2, 1, 2, 3]), 2).indices
    assert indices.dtype == "int32" and indices.device == "cpu"
    assert (indices.rows, indices.cols, len(indices)) == (2, 2, 2)
    array = np.from_dlpack(indices)
    assert array.dtype == np.int32 and array.tolist() == [[0, 2], [2, 1]]
    assert np.asarray(indices).tolist() == memoryview(indices).tolist() == indices.tolist()
    assert indices[0, 1] == 2 and indices[-1, -1] == 1
    assert indices.to("cpu").data() == [0, 2, 2, 1]
    assert pickle.loads(pickle.dumps(indices)).tolist() == indices.tolist()
    assert repr(indices) == "IndexTensor([[0, 2], [2, 1]], dtype=int32)"
    with pytest.raises(IndexError):
        indices[2, 0]
    with pytest.raises(ValueError):
        indices.item()


@pytest.mark.parametrize("kind", SELECT)
def test_the_gradient_goes_where_the_values_came_from(kind):
    x = st.Tensor(2, 4, [3, float("nan"), 1, 2, 5, 5, 5, 4], requires_grad=True)
    values, indices = SELECT[kind](x, 2)
    values.backward(st.Tensor(2, 2, [1, 10, 100, 1000]))
    want = np.zeros((2, 4), np.float32)
    np.put_along_axis(want, np.asarray(indices), [[1, 10], [100, 1000]], 1)
    assert x.grad.tolist() == want.tolist()
    with st.no_grad():
        assert not SELECT[kind](x, 2).values.requires_grad


def test_session_plans_for_its_device():
    session = st.SpiralSession(device="cpu")
    assert session.plan("bottomk", 2, 30, 4) == st.plan("bottomk", 2, 30, 4, "cpu")


def run_python(code, **env):
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )


def test_an_absent_device_computes_on_the_cpu_with_one_warning():
    code = (
        "import spiraltorch as st; x = st.Tensor(1, 3, [1, 3, 2]);"
        "print([st.topk(x, 1, device='hip:7').indices.item() for _ in range(3)])"
    )
    done = run_python(code, SPIRALTORCH_STRICT="0")
    assert done.stdout.strip() == "[1, 1, 1]" and done.stderr.count("RuntimeWarning") == 1
    strict = code.replace("print(", "st.set_strict(True); print(")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run_python(strict)
    assert "DeviceError" in caught.value.stderr


def test_tuning_is_stored_used_and_guarded(tmp_path):
    env = {"SPIRALTORCH_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "spiraltorch", "tune", "--budget", "0.5", "--json", "--reset"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(done.stdout)
    assert report["problems"] >= 1
    with open(report["path"], encoding="utf-8") as file:
        table = json.load(file)
    assert table["fingerprint"] == report["fingerprint"]
    planned = "import spiraltorch as st; print(st.plan('topk', 1000, 4000, 30, 'cpu').provenance)"
    table["entries"] = [
        {
            **{"kind": "topk", "log2_rows": 9, "log2_cols": 11, "log2_k": 4},
            **{"algorithm": "radix", "parameters": {}, "median": 1e-3, "mad": 1e-6},
        }
    ]
    path = tmp_path / os.path.basename(report["path"])
    path.write_text(json.dumps(table))
    assert run_python(planned, **env).stdout.strip() == "tuned"
    path.write_text(json.dumps({**table, "fingerprint": "0" * 16}))
    foreign = run_python(planned, **env)
    assert foreign.stdout.strip() == "rule" and foreign.stderr.count("RuntimeWarning") == 1
    path.write_text("{")
    broken = run_python(planned, **env)
    assert broken.stdout.strip() == "rule" and broken.stderr.count("RuntimeWarning") == 1
    assert run_python(planned, SPIRALTORCH_CACHE_DIR="").stderr == ""
