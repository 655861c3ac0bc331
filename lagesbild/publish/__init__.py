"""What leaves the store: counts under disclosure control, never a resident's text."""
