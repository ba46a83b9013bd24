"""Building blocks of models. For now the text encoder; layers follow."""

from ._core import LanguageWaveEncoder

__all__ = ["LanguageWaveEncoder"]
