"""What gives out first as conversations grow in number: a model of measured figures, and a simulation that checks it."""
