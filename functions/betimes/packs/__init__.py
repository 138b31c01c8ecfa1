"""Policy data: treatments, rules, templates and the figures of the demo book. Data files only."""
