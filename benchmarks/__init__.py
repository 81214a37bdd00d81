"""Every published figure is measured here: speed, accuracy, reading and embedding write ``results/``; make results."""
