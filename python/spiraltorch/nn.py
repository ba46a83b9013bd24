"""Building blocks of models. For now the text encoder and the projector; layers follow."""

from ._core import LanguageWaveEncoder, ZSpaceProjector

__all__ = ["LanguageWaveEncoder", "ZSpaceProjector"]
