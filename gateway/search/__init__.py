"""From a query to its results over any walk of image sets."""
