"""Training on whole lines through their segmentation graphs, and what else needs both reading and learning."""
