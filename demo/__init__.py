"""The built-in demo: synthetic categories with known truth, in the layout of SPair-71k."""
