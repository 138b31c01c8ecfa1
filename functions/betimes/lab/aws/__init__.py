"""A pretend AWS in memory, for the crash tests and the simulation; see `betimes.lab.aws.cloud`."""
