"""Yiwang 一网: a city run as one net."""
