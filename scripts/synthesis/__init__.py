"""What make-fixtures.py is made of."""
