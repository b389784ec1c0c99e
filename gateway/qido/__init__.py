"""The standard's side: queries, matching, results and their encodings. Pure."""
