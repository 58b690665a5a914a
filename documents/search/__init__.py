"""Finding: vectors, the query language, ranking, suggestions."""
