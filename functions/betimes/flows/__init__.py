"""What happens: one module a use case, over ports."""
