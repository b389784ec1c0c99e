"""Pixels: frames decoded, and rendered as a viewer would show them."""
