"""Weights in other forms: the page that shows the network."""
