"""A study's folder -> one self-contained page, its figures, tables of results."""
