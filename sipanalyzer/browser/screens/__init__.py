"""The browser's screens: each puts widgets together and says what its keys do. Floor 9."""
