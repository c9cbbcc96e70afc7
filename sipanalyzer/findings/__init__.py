"""What is wrong, with evidence and advice: reads a Result. Floor 7."""
