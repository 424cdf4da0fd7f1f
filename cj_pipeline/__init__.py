"""Comparative judgement of essays by LLM judges: pairs, batch purchases, a Bradley-Terry scale, grades."""

__version__ = "0.1.0"
