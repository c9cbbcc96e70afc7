"""Plots of streams and captures with matplotlib, which is loaded when a picture is drawn. Floor 8."""
