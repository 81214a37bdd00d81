"""What training shows: digits in other hands and pens, lines, and what is no digit."""
