"""Synthesized training material: digits by other hands and pens, whole lines, rubbish, and pages with known truth."""
