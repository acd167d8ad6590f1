"""Running things: the small-model ladder, its Inspect provider and tasks, drafting from Inspect, the demonstration."""
