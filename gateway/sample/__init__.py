"""A small made-up archive worth looking at: phantoms, drawn pictures, documents."""
