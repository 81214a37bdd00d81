"""Forms: a stack of filled sheets in, a table out."""
