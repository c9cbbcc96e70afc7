"""How it went altogether: reads a Result. Floor 7."""
