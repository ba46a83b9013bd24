"""Optimisers on flat space and the Poincaré ball, gradient clipping, schedules of rates."""

from ._core import (
    SGD,
    Adam,
    AdamW,
    BurnInLR,
    ConstantLR,
    CosineLR,
    Optimizer,
    ParamGroup,
    PlateauLR,
    RiemannianAdam,
    RiemannianSGD,
    Scheduler,
    StepLR,
    WarmupLR,
    clip_grad_norm_,
    gradient_norm,
)

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "BurnInLR",
    "ConstantLR",
    "CosineLR",
    "Optimizer",
    "ParamGroup",
    "PlateauLR",
    "RiemannianAdam",
    "RiemannianSGD",
    "Scheduler",
    "StepLR",
    "WarmupLR",
    "clip_grad_norm_",
    "gradient_norm",
]
