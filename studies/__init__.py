"""What makes the tables of the documentation. One form: python -m studies.<study> <command>."""
