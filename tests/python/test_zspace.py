import pytest

import spiraltorch as st
from spiraltorch import LanguageWaveEncoder, Tensor
from spiraltorch import geometry as geo


def test_functions_are_the_ball_s_methods():
    ball = geo.PoincareBall(-0.5)
    x, y = Tensor(2, 2, [0.1, 0.2, -0.3, 0.1]), Tensor(2, 2, [0.4, 0.1, 0.2, -0.6])
    pairs = [
        (geo.project(x, ball), ball.project(x)),
        (geo.expmap0(x, ball), ball.expmap0(x)),
        (geo.logmap0(x, ball), ball.logmap0(x)),
        (geo.mobius_add(x, y, ball), ball.mobius_add(x, y)),
        (geo.mobius_scalar(0.5, x, ball), ball.mobius_scalar(0.5, x)),
        (geo.mobius_matvec(Tensor.eye(2), x, ball), ball.mobius_matvec(Tensor.eye(2), x)),
        (geo.expmap(x, y, ball), ball.expmap(x, y)),
        (geo.logmap(x, y, ball), ball.logmap(x, y)),
        (geo.gyration(x, y, x, ball), ball.gyration(x, y, x)),
        (geo.parallel_transport(x, y, x, ball), ball.parallel_transport(x, y, x)),
        (geo.dist(x, y, ball, True), ball.dist(x, y, squared=True)),
        (geo.dist_matrix(x, None, ball), ball.dist_matrix(x)),
        (geo.conformal_factor(x, ball), ball.conformal_factor(x)),
        (geo.egrad2rgrad(x, y, ball), ball.egrad2rgrad(x, y)),
        (geo.geodesic(x, y, Tensor(2, 1, [0.1, 0.9]), ball),) * 2,
        (geo.gyromidpoint(x, [1, 2], ball), ball.gyromidpoint(x, [1, 2])),
        (geo.frechet_mean(x, Tensor(2, 1, [1, 2]), ball), ball.frechet_mean(x, [1, 2])),
        (geo.to_lorentz(x, ball), ball.to_lorentz(x)),
    ]
    for a, b in pairs:
        assert a.data() == b.data()
    assert {f for f in geo.__all__} == {n for n in dir(geo) if not n.startswith("_")}


def test_streams_depend_on_the_concatenation_only():
    encoder = LanguageWaveEncoder(-1.0, 0.5)
    text = "a naïve stream of text"
    whole = encoder.encode_stream(text, 8, 4)
    assert encoder.encode_stream(iter(text), 8, 4).data() == whole.data()
    assert encoder.encode_stream([text[:3], "", text[3:]], 8, 4).data() == whole.data()

    def broken():
        yield "abc"
        raise KeyError("source")

    with pytest.raises(KeyError):
        encoder.encode_stream(broken(), 2, 1)


def test_nn_carries_the_encoder():
    assert st.nn.LanguageWaveEncoder is LanguageWaveEncoder


def test_session_and_builder():
    session = (
        st.SpiralSessionBuilder("cpu")
        .curvature(-2.0)
        .hyper_learning_rate(0.1)
        .topos(-2.0, 1e-6, 5.0, 64, 128)
        .seed(7)
        .build()
    )
    assert session.curvature() == -2.0 and session.hyper_learning_rate == 0.1
    assert session.hypergrad(1, 2).topos().saturation() == 5.0
    assert session.builder().build().curvature() == -2.0
    assert session.encoder().temperature() == 0.5
    assert session.trace(Tensor(1, 2)).sot_plan is None
    assert session.trace(Tensor(1, 2), sot={"steps": 0}).sot_plan is None
    assert len(session.trace(Tensor(2, 3), sot={}).sot_plan) == 6


def test_results_as_dictionaries_and_tuples():
    bary = st.SpiralSession(device="cpu").barycenter([Tensor(1, 2, [1, 3])])
    d = bary.as_dict()
    assert list(d) == [
        "density",
        "kl_energy",
        "entropy",
        "coupling_energy",
        "objective",
        "effective_weight",
        "intermediates",
    ]
    alpha, density, kl, entropy, objective = bary.intermediates()[-1].as_tuple()
    assert (alpha, objective) == (1.0, bary.objective)
    assert density.data() == bary.density.data() and (kl, entropy) == (bary.kl_energy, bary.entropy)
    bary.density.fill_(9)  # a fresh copy each time
    assert bary.density.sum().item() == pytest.approx(1)


def test_a_closed_session_refuses():
    session = st.SpiralSession(device="cpu", curvature=-1.0)
    tape = session.hypergrad(1, 2)
    session.close()
    session.close()
    tape.reset()
    for use in (
        lambda: session.hypergrad(1, 2),
        lambda: session.encoder(),
        lambda: session.plan("topk", 1, 2, 1),
        lambda: session.device_caps(),
        lambda: session.trace(st.Tensor(1, 2)),
        lambda: session.barycenter([st.Tensor(1, 2, [0.5, 0.5])]),
        lambda: session.__enter__(),
    ):
        with pytest.raises(st.InvalidArgument, match="closed"):
            use()
