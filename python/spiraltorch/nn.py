"""Building blocks of models: parameters, modules, layers, losses."""

from ._core import (
    CrossEntropy,
    Euclidean,
    Gelu,
    LanguageWaveEncoder,
    Linear,
    Loss,
    MeanSquaredError,
    Module,
    Parameter,
    Relu,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    ZSpaceProjector,
)

__all__ = [
    "CrossEntropy",
    "Euclidean",
    "Gelu",
    "LanguageWaveEncoder",
    "Linear",
    "Loss",
    "MeanSquaredError",
    "Module",
    "Parameter",
    "Relu",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "ZSpaceProjector",
]
