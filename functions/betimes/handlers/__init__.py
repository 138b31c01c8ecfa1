"""Who calls us: one module a trigger."""
