"""Every published figure is measured here: ``speed``, ``accuracy`` and ``reading`` write ``results/``; make results."""
