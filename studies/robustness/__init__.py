"""How far priors stay near the truth when their input gets worse."""
