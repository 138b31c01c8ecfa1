"""What is true: values and decisions. Standard library only; no clock, no cloud, no randomness."""
