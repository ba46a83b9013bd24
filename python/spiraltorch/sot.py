"""Spiral plans: golden-angle steps in nested blocks, as numbers, tensors and biomes."""

from ._core import (
    MacroSummary,
    SoT3DPlan,
    SoT3DStep,
    fibonacci_pacing,
    generate_plan,
    golden_angle,
    golden_ratio,
    pack_tetranacci_chunks,
    pack_tribonacci_chunks,
)

__all__ = [
    "MacroSummary",
    "SoT3DPlan",
    "SoT3DStep",
    "fibonacci_pacing",
    "generate_plan",
    "golden_angle",
    "golden_ratio",
    "pack_tetranacci_chunks",
    "pack_tribonacci_chunks",
]
