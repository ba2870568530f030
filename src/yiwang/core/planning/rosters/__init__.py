"""Rosters: who works which shift, under rules of rest and with a bound."""
