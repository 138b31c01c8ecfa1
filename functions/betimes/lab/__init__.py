"""A pretend world: memory adapters, a virtual clock and a story runner. A product feature, not shipped to Lambda."""
