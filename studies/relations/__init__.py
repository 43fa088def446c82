"""How many relations a shape needs."""
